import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { Client } from 'pg';
import type { Clock } from '../clock.ts';
import type { Attempt } from './connection-attempts.ts';

/** Which way it is, and the connection, where there had to be one to know that. */
export type Opened = { readonly way: Attempt; readonly stream: Socket | null };

type Patience = { readonly clock: Clock; readonly timeoutMs: number };

/** `SSLRequest` of the protocol: its length, and a number in the place of a version. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

/** The first of two ways, unless it begins with TLS and the server has none: then it is the second one. */
export async function openWay(first: Attempt, second: Attempt | undefined, patience: Patience): Promise<Opened> {
  const isToBeAsked = second !== undefined && first.tls !== null && first.config.sslnegotiation !== 'direct';
  return isToBeAsked ? askForTls(first, second, patience) : { way: first, stream: null };
}

/**
 * Asks for TLS and goes on without where the server has none, as libpq does, all on one connection. The driver gives such a connection up;
 * another one costs two round trips more, and the server a process.
 */
async function askForTls(secured: Attempt, plain: Attempt, { clock, timeoutMs }: Patience): Promise<Opened> {
  // What the string leaves open, the driver knows.
  const { host, port } = new Client(secured.config);
  // PGHOST may name the folder of a socket, where TLS has nothing to do.
  if (host.startsWith('/')) return { way: plain, stream: null };
  const socket = connect({ host, port, noDelay: true });
  const done = new AbortController();
  void clock.sleep(timeoutMs, done.signal).then(() => (done.signal.aborted ? undefined : socket.destroy(new Error('timeout expired'))));
  try {
    const answer = await answerOf(socket);
    if (answer === 'N') return { way: plain, stream: connected(socket) };
    if (answer !== 'S') throw new Error('there was an error establishing an SSL connection');
    return { way: secured, stream: connected(await encrypted(socket, host, secured.tls ?? {})) };
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    done.abort();
  }
}

/** One letter. */
function answerOf(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    socket.once('data', (answer) => resolve(answer.toString('latin1')));
    socket.once('error', reject).once('close', () => reject(new Error('Connection terminated unexpectedly')));
    socket.write(SSL_REQUEST);
  });
}

function encrypted(socket: Socket, host: string, tls: ConnectionOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    // An address is no name to ask for.
    const stream = connectTls({ socket, host, ...tls, ...(isIP(host) === 0 ? { servername: host } : {}) });
    stream.once('secureConnect', () => resolve(stream)).once('error', reject);
    socket.once('close', () => reject(new Error('Connection terminated unexpectedly')));
  });
}

/** The driver connects the stream that it is given. */
function connected(stream: Socket): Socket {
  const connect = (): Socket => {
    queueMicrotask(() => stream.emit('connect'));
    return stream;
  };
  return Object.assign(stream, { connect });
}
