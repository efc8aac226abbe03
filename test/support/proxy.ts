import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Where a connection is cut: when its client sends the text, before the server gets it, or once the server has answered, with the answer swallowed. */
export type CutRule = { readonly text: string; readonly when: 'before' | 'after' /** Every nth time. */; readonly nth: number };

/** The cuts that a rule has made; it goes on until it is lifted. */
export type Cutting = { readonly count: () => number; lift(): void };

/** A network between a client and a server, with the faults of networks. */
export type FaultyProxy = {
  url(database: string): string;
  cutAt(rule: CutRule): Cutting;
  /** Ends every connection at once, as a reset would. Returns how many. */
  cutAll(): number;
  /** Carries nothing any more and closes nothing. `open` leaves new connections alone, as a firewall does that forgot the old ones. */
  freeze(which: 'open' | 'all'): void;
  /** What was held back arrives after all. */
  thaw(): void;
  close(): Promise<void>;
};

type Link = { readonly client: Socket; readonly server: Socket; isFrozen: boolean; isSwallowing: boolean };
type Active = CutRule & { seen: number; cuts: number };
type State = { readonly upstream: URL; readonly links: Set<Link>; readonly rules: Set<Active>; freezesAll: boolean };

/** Starts a proxy before the server that `upstream` names. */
export async function startProxy(upstream: string): Promise<FaultyProxy> {
  const state: State = { upstream: new URL(upstream), links: new Set(), rules: new Set(), freezesAll: false };
  const server: Server = createServer((socket) => accept(state, socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    url: (database) => `postgres://postgres@127.0.0.1:${port}/${encodeURIComponent(database)}`,
    cutAt: (rule) => startCutting(state, rule),
    cutAll: () => cutAll(state),
    freeze: (which) => {
      state.freezesAll = which === 'all';
      for (const link of state.links) freeze(link);
    },
    thaw: () => {
      state.freezesAll = false;
      for (const link of state.links) thaw(link);
    },
    close: async () => {
      cutAll(state);
      server.close();
      await once(server, 'close');
    },
  };
}

function startCutting(state: State, rule: CutRule): Cutting {
  const active: Active = { ...rule, seen: 0, cuts: 0 };
  state.rules.add(active);
  return { count: () => active.cuts, lift: () => void state.rules.delete(active) };
}

function cutAll({ links }: State): number {
  const open = [...links];
  for (const link of open) cut(link);
  return open.length;
}

function accept(state: State, client: Socket): void {
  const server = connect(Number(state.upstream.port), state.upstream.hostname);
  const link: Link = { client, server, isFrozen: false, isSwallowing: false };
  state.links.add(link);
  for (const socket of [client, server]) {
    socket.setNoDelay(true);
    socket.on('error', () => cut(link));
    socket.on('close', () => {
      state.links.delete(link);
      cut(link);
    });
  }
  client.on('data', (chunk: Buffer) => fromClient(state, link, chunk));
  server.on('data', (chunk: Buffer) => (link.isSwallowing ? cut(link) : void client.write(chunk)));
  if (state.freezesAll) freeze(link);
}

function fromClient(state: State, link: Link, chunk: Buffer): void {
  const rule = [...state.rules].find((each) => chunk.includes(each.text) && ++each.seen % each.nth === 0);
  if (rule) rule.cuts += 1;
  if (rule?.when === 'before') cut(link);
  else link.server.write(chunk);
  if (rule?.when === 'after') link.isSwallowing = true;
}

function cut({ client, server }: Link): void {
  client.destroy();
  server.destroy();
}

function freeze(link: Link): void {
  link.isFrozen = true;
  link.client.pause();
  link.server.pause();
}

function thaw(link: Link): void {
  if (!link.isFrozen) return;
  link.isFrozen = false;
  link.client.resume();
  link.server.resume();
}
