import type { ConflictRule } from '../../../src/plan/conflict-rule.ts';
import { masterRound, type MasterRoundResult } from '../../../src/runner/8-round/masters/master-round.ts';
import { appliedOf, firstImage, type Image, rowAt, write } from '../image.ts';
import { makeJudge, ONE_CLOCK } from '../round.ts';
import { makeServer, ServerError } from '../server.ts';
import { type Peers, simulatedMember } from '../simulated-member.ts';
import type { Decided, World } from '../world.ts';

/** Databases that several syncs connect over one row, without faults of any kind: rounds of one sync after the other, and writes in between. */
export type Ring = {
  readonly name: string;
  readonly databases: number;
  /** Whose rounds these are, by database. */
  readonly syncs: readonly (readonly number[])[];
  readonly rule: ConflictRule;
  /** `each`: every sync has watermarks of its own, as in production. `one`: all keep one account, as if they were rounds of one sync. */
  readonly accounts: 'each' | 'one';
  /** By how many writes each database's clock is behind. */
  readonly slow?: readonly number[];
  /** Rows may become again what they were. */
  readonly canReturn?: boolean;
};

export type RingState = {
  readonly images: readonly Image[];
  readonly next: { readonly version: number; readonly decision: number; readonly time: bigint };
  readonly decisions: readonly Decided[];
};

export const KEY = '0/a';

export function firstState({ databases }: Ring): RingState {
  const image = firstImage(new Map([[KEY, 'v0']]));
  return { images: Array.from({ length: databases }, () => image), next: { version: 1, decision: 1, time: 1n }, decisions: [] };
}

/** The name under which a sync keeps its watermarks and its entries. */
export function accountOf({ accounts }: Ring, sync: number): string {
  return accounts === 'one' ? 'ring' : `sync${sync}`;
}

/** The databases of an account, in the order in which its watermarks count them. */
export function orderOf(ring: Ring, sync: number): readonly number[] {
  return ring.accounts === 'one' ? Array.from({ length: ring.databases }, (_, database) => database) : (ring.syncs[sync] ?? []);
}

export type RingStep = { readonly label: string; readonly state: RingState };

/** What an application may do at a database: to change the row, to delete it, or to make it what it was in the beginning. */
export function writesAt(ring: Ring, state: RingState, database: number): readonly RingStep[] {
  const { version, time } = state.next;
  const isThere = rowAt(imageOf(state, database), KEY).text !== '';
  const texts = [`v${version}`, ...(isThere ? [''] : []), ...(ring.canReturn && rowAt(imageOf(state, database), KEY).text !== 'v0' ? ['v0'] : [])];
  const at = time * 2n - BigInt(ring.slow?.[database] ?? 0) * 2n - BigInt(database === 0 ? 0 : 1);
  return texts.map((text) => ({
    label: `d${database} writes ${text || 'nothing (deletes)'}`,
    state: {
      ...state,
      images: withImage(state, database, write(imageOf(state, database), [{ key: KEY, text, version, at }])),
      next: { ...state.next, version: version + 1, time: time + 1n },
    },
  }));
}

export type RingRound = {
  readonly result: MasterRoundResult | ServerError;
  readonly state: RingState;
  readonly before: RingState;
  readonly at: readonly number[];
};

/** A round of one sync, everybody present; it commits everywhere. */
export async function ringRound(ring: Ring, state: RingState, sync: number): Promise<RingRound> {
  const databases = ring.syncs[sync] ?? [];
  const order = orderOf(ring, sync);
  const account = accountOf(ring, sync);
  const peers: Peers = new Map();
  const next = { ...state.next };
  const judge = makeJudge(next, null);
  const servers = databases.map((database) => makeServer(database, { image: imageOf(state, database), disk: imageOf(state, database) }));
  const members = servers
    .map((server) => {
      const member = simulatedMember({ server, sync: account, index: order.indexOf(server.database), peers, isShared: true });
      return { ...member, settle: (table: number, rows: Parameters<typeof member.settle>[1]) => member.settle(table, rows.map(judge.judged)) };
    })
    .sort((a, b) => a.index - b.index);
  const known = new Map(servers.map(({ database, image }) => [order.indexOf(database), { ...appliedOf(image, account), copiedXid: 0n, noted: null }]));
  const names = order.map((database) => `d${database}`);
  const none = { lock: [], keep: [], stopped: new Set<number>(), keys: [] };
  const round = masterRound({
    members,
    databases: names,
    rules: [ring.rule],
    known,
    ...none,
    ...ONE_CLOCK,
    isRing: isOrder(ring.rule) && ring.accounts === 'one',
    newId: judge.newId,
    failpoint: async () => undefined,
  });
  const result = await round.catch((error: unknown) => {
    if (error instanceof ServerError) return error;
    throw error;
  });
  const images = servers.reduce((sum, server) => sum.map((image, database) => (database === server.database ? server.image : image)), state.images);
  return { result, before: state, at: databases, state: { images, next, decisions: [...state.decisions, ...judge.decided()] } };
}

function isOrder({ strategy }: ConflictRule): boolean {
  return strategy === 'last-update-wins' || strategy === 'first-update-wins';
}

/** The outcome where the commits at some of the members were lost. */
export function survivingAt({ state, before, at }: RingRound, lost: readonly number[]): RingState {
  // The id of a transaction that was rolled back is not given again.
  const images = state.images.map((image, database) => (lost.includes(database) ? { ...imageOf(before, database), nextXid: image.nextXid } : image));
  return lost.length === at.length ? { ...before, images } : { ...state, images };
}

export function isNothing({ result }: RingRound): boolean {
  return 'kind' in result && result.kind === 'nothing';
}

export function imageOf({ images }: RingState, database: number): Image {
  const image = images[database];
  if (image === undefined) throw new Error(`no database ${database}`);
  return image;
}

function withImage(state: RingState, database: number, image: Image): readonly Image[] {
  return state.images.map((each, index) => (index === database ? image : each));
}

/** As the invariants see it. */
export function worldOf(ring: Ring, { images, next, decisions }: RingState): World {
  return {
    sides: images.map((image) => ({ image, disk: image })),
    databases: ring.databases,
    keys: [KEY],
    next,
    decisions,
    keyOf: new Map(),
    gone: { writes: 0n, records: [] },
    copyLacks: null,
  };
}
