import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Where a connection is cut: when its client sends the text, before the server gets it, or once the server has answered, with the answer swallowed. */
export type CutRule = { readonly text: string; readonly when: 'before' | 'after' /** Every nth time. */; readonly nth: number };

/** The cuts that a rule has made; it goes on until it is lifted. */
export type Cutting = { readonly count: () => number; lift(): void };

/** `connection` is the client's port. */
export type Trip = { readonly connection: number; readonly text: string };

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
  /**
   * Round trips so far: what a client said after its server had spoken, as far as it came in one piece. What is sent in one go may come in
   * several; over a distance the server has not answered the first before the last is on its way, so they are one trip.
   */
  trips(): readonly Trip[];
  close(): Promise<void>;
};

type Link = { readonly client: Socket; readonly server: Socket; isFrozen: boolean; isSwallowing: boolean; hasServerSpoken: boolean };
type Active = CutRule & { seen: number; cuts: number };
type State = {
  readonly upstream: URL;
  readonly links: Set<Link>;
  readonly rules: Set<Active>;
  readonly tripMs: number;
  readonly trips: Trip[];
  freezesAll: boolean;
};

export type ProxyOptions = {
  /** What a round trip takes longer than without the proxy: half of it on the way there, half on the way back. */
  readonly tripMs?: number;
  /** The address that it listens at; `127.0.0.1` by default. */
  readonly host?: string;
};

/** Starts a proxy before the server that `upstream` names. */
export async function startProxy(upstream: string, { tripMs = 0, host = '127.0.0.1' }: ProxyOptions = {}): Promise<FaultyProxy> {
  const state: State = { upstream: new URL(upstream), links: new Set(), rules: new Set(), tripMs, trips: [], freezesAll: false };
  const server: Server = createServer((socket) => accept(state, socket));
  server.listen(0, host);
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    url: (database) => `postgres://postgres@${host}:${port}/${encodeURIComponent(database)}`,
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
    trips: () => [...state.trips],
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
  const link: Link = { client, server, isFrozen: false, isSwallowing: false, hasServerSpoken: true };
  state.links.add(link);
  for (const socket of [client, server]) {
    socket.setNoDelay(true);
    socket.on('error', () => cut(link));
    socket.on('close', () => {
      state.links.delete(link);
      cut(link);
    });
  }
  client.on('data', (chunk: Buffer) => {
    noteTrip(state, link, chunk);
    later(state, () => fromClient(state, link, chunk));
  });
  server.on('data', (chunk: Buffer) => later(state, () => fromServer(link, chunk)));
  if (state.freezesAll) freeze(link);
}

function noteTrip({ trips, tripMs }: State, link: Link, chunk: Buffer): void {
  if (link.hasServerSpoken && tripMs > 0) trips.push({ connection: link.client.remotePort ?? 0, text: chunk.toString('latin1') });
  link.hasServerSpoken = false;
}

/** Timers of the same length go off in their order, so nothing overtakes. */
function later({ tripMs }: State, carry: () => void): void {
  if (tripMs === 0) carry();
  else setTimeout(carry, tripMs / 2);
}

function fromServer(link: Link, chunk: Buffer): void {
  link.hasServerSpoken = true;
  if (link.isSwallowing) cut(link);
  else link.client.write(chunk);
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
