import { createServer, connect as connectSocket, type Server, type Socket } from 'node:net';
import { once } from 'node:events';

/** A pooler in transaction mode, in as much of the v3 protocol as simple and extended queries need: clients share a few backends, each for the length of a transaction. */
export type TransactionPooler = { url(database: string): string; close(): Promise<void> };

type Backend = { readonly socket: Socket; readonly greeting: Buffer; buffered: Buffer; user: Client | null };
type Client = { readonly socket: Socket; buffered: Buffer; backend: Backend | null; waiting: Buffer[]; isStarted: boolean };
type Pool = { readonly size: number; readonly upstream: URL; readonly backends: Backend[]; readonly queue: Client[]; readonly clients: Set<Client> };

const READY = 'Z'.charCodeAt(0);
const IDLE = 'I'.charCodeAt(0);
const SSL_REQUEST = 80877103;
const TERMINATE = 'X'.charCodeAt(0);
/** Message types after which the server sends ReadyForQuery: Query and Sync. */
const ENDS_TURN: ReadonlySet<number> = new Set(['Q', 'S'].map((type) => type.charCodeAt(0)));

/** Starts a pooler with so many backends before the server that `upstream` names. */
export async function startTransactionPooler(upstream: string, options: { size: number }): Promise<TransactionPooler> {
  const pool: Pool = { size: options.size, upstream: new URL(upstream), backends: [], queue: [], clients: new Set() };
  const server: Server = createServer((socket) => accept(pool, socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    url: (database) => `postgres://postgres@127.0.0.1:${port}/${encodeURIComponent(database)}`,
    close: async () => {
      for (const { socket } of [...pool.clients, ...pool.backends]) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function accept(pool: Pool, socket: Socket): void {
  const client: Client = { socket, buffered: Buffer.alloc(0), backend: null, waiting: [], isStarted: false };
  pool.clients.add(client);
  socket.on('error', () => socket.destroy());
  socket.on('close', () => leave(pool, client));
  socket.on('data', (chunk) => {
    client.buffered = Buffer.concat([client.buffered, chunk]);
    if (!client.isStarted) void start(pool, client);
    else forward(pool, client);
  });
}

/** The start-up packet goes to a new backend while there is room; later clients get a copy of its greeting. */
async function start(pool: Pool, client: Client): Promise<void> {
  if (client.buffered.length < 4 || client.buffered.length < client.buffered.readInt32BE(0)) return;
  const length = client.buffered.readInt32BE(0);
  if (length === 8 && client.buffered.readInt32BE(4) === SSL_REQUEST) {
    client.buffered = client.buffered.subarray(length);
    client.socket.write('N');
    return start(pool, client);
  }
  const packet = client.buffered.subarray(0, length);
  client.buffered = client.buffered.subarray(length);
  client.isStarted = true;
  while (pool.backends.length < pool.size) pool.backends.push(await openBackend(pool, packet));
  client.socket.write(pool.backends[0]?.greeting ?? Buffer.alloc(0));
  forward(pool, client);
}

async function openBackend(pool: Pool, packet: Buffer): Promise<Backend> {
  const socket = connectSocket(Number(pool.upstream.port), pool.upstream.hostname);
  socket.on('error', () => socket.destroy());
  socket.write(packet);
  const greeting = await new Promise<Buffer>((resolve) => {
    let received = Buffer.alloc(0);
    const collect = (chunk: Buffer): void => {
      received = Buffer.concat([received, chunk]);
      if (!messages(received).list.some(({ type }) => type === READY)) return;
      socket.off('data', collect);
      resolve(received);
    };
    socket.on('data', collect);
  });
  const backend: Backend = { socket, greeting, buffered: Buffer.alloc(0), user: null };
  socket.on('data', (chunk: Buffer) => answer(pool, backend, chunk));
  return backend;
}

function forward(pool: Pool, client: Client): void {
  const { list, rest } = messages(client.buffered);
  client.buffered = rest;
  for (const { type, bytes } of list) {
    if (type === TERMINATE) return void client.socket.end();
    client.waiting.push(bytes);
    if (ENDS_TURN.has(type) && !client.backend && !pool.queue.includes(client)) pool.queue.push(client);
  }
  if (client.backend) flush(client.backend, client);
  assign(pool);
}

/** The most recently used backend first, as poolers do. */
function assign(pool: Pool): void {
  for (let backend = free(pool); backend && pool.queue.length > 0; backend = free(pool)) {
    const client = pool.queue.shift();
    if (!client) return;
    backend.user = client;
    client.backend = backend;
    flush(backend, client);
  }
}

function free(pool: Pool): Backend | undefined {
  return pool.backends.find(({ user }) => user === null);
}

function flush(backend: Backend, client: Client): void {
  for (const bytes of client.waiting.splice(0)) backend.socket.write(bytes);
}

function answer(pool: Pool, backend: Backend, chunk: Buffer): void {
  backend.user?.socket.write(chunk);
  const { list, rest } = messages(Buffer.concat([backend.buffered, chunk]));
  backend.buffered = rest;
  if (!list.some(({ type, bytes }) => type === READY && bytes[5] === IDLE)) return;
  if (backend.user) backend.user.backend = null;
  backend.user = null;
  assign(pool);
}

/** A client that goes inside a transaction leaves its backend unusable; tests have no need of it then. */
function leave(pool: Pool, client: Client): void {
  pool.clients.delete(client);
  const position = pool.queue.indexOf(client);
  if (position >= 0) pool.queue.splice(position, 1);
}

function messages(buffer: Buffer): { list: { type: number; bytes: Buffer }[]; rest: Buffer } {
  const list: { type: number; bytes: Buffer }[] = [];
  let offset = 0;
  while (buffer.length >= offset + 5) {
    const end = offset + 1 + buffer.readInt32BE(offset + 1);
    if (buffer.length < end) break;
    list.push({ type: buffer[offset] ?? 0, bytes: buffer.subarray(offset, end) });
    offset = end;
  }
  return { list, rest: buffer.subarray(offset) };
}
