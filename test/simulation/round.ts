import type { ConflictRule } from '../../src/plan/conflict-rule.ts';
import { masterRound, type MasterRoundResult } from '../../src/runner/8-round/masters/master-round.ts';
import type { Member, SettledRow } from '../../src/runner/8-round/masters/member.ts';
import { appliedOf, bit, type Image } from './image.ts';
import { makeServer, type Server, ServerError } from './server.ts';
import { keyOf, type Peers, rowOf, simulatedMember, textOf } from './simulated-member.ts';
import { type Decided, imageOf, type Judged, sideOf, SYNC, withSide, type World } from './world.ts';

/** How a round is to go. */
export type RoundStep = {
  readonly present: readonly number[];
  /** The database whose version wins, or a row made of all of them. */
  readonly choice: number | 'merge';
  /** What happens in a database after all snapshots were taken. */
  readonly between: { readonly database: number; readonly act: (image: Image) => Image } | null;
  /** Tables that sit it out. */
  readonly stopped?: readonly number[];
};

/** Puts itself between the round and a member: the way in for mutants. */
export type Wrap = (member: Member, peers: Peers) => Member;

/** The protocol as it is, or with one thing wrong. */
export type Variant = { readonly wrap?: Wrap; readonly isRelayNamed?: boolean };

/** What a round did, up to the question which of its commits survive. */
export type RoundRun = {
  readonly result: MasterRoundResult | ServerError;
  /** The world when none of them does, with what happened in between. */
  readonly world: World;
  /** By database, its image with the commit. */
  readonly committed: ReadonlyMap<number, Image>;
  readonly decided: readonly Decided[];
};

/** Clocks are not what is looked into here. */
export const ONE_CLOCK = {
  isRing: false,
  columns: [],
  masked: [],
  maxClockSkewMs: 0,
  uniqueRules: [],
  rulings: { all: () => [], drop: () => undefined },
  now: () => 0,
  get touched(): Set<number> {
    return new Set();
  },
  decideByHandler: () => Promise.reject(new Error('the simulation has no handlers')),
  unclashByHandler: () => Promise.reject(new Error('the simulation has no handlers')),
};

/** Runs the production round over in-memory members. */
export async function runRound(world: World, step: RoundStep, { wrap = (member) => member, isRelayNamed = true }: Variant = {}): Promise<RoundRun> {
  const peers: Peers = new Map();
  const servers = step.present.map((database) => makeServer(database, sideOf(world, database)));
  const judge = makeJudge({ ...world.next }, step.choice);
  const rolledBack = new Map<number, Image>();
  const members = servers.map((server) => {
    const member = wrap(simulatedMember({ server, sync: SYNC, index: server.database, peers, isRelayNamed }), peers);
    return {
      ...member,
      settle: (table: number, rows: readonly SettledRow[]) => member.settle(table, rows.map(judge.judged)),
      commit: () => commit(member, server, rolledBack),
    };
  });
  const databases = Array.from({ length: world.databases }, (_, database) => `d${database}`);
  const rule: ConflictRule = { strategy: 'prefer', databases: step.choice === 'merge' ? [] : [`d${step.choice}`] };
  const known = new Map(step.present.map((database) => [database, { ...appliedOf(imageOf(world, database), SYNC), copiedXid: 0n, noted: null }]));
  const result = await outcomeOf(
    masterRound({
      members,
      databases,
      rules: [rule, rule],
      keys: [],
      known,
      stopped: new Set(step.stopped),
      lock: [],
      keep: [],
      ...ONE_CLOCK,
      newId: judge.newId,
      failpoint: async (name) => between(name, servers, step),
    }),
  );
  return { result, ...imagesAfter(world, servers, rolledBack), decided: judge.decided() };
}

async function commit(member: Member, server: Server, rolledBack: Map<number, Image>): Promise<void> {
  rolledBack.set(server.database, server.image);
  await member.commit();
}

async function between(failpoint: string, servers: readonly Server[], step: RoundStep): Promise<void> {
  if (failpoint !== 'masters.before-hold' || step.between === null) return;
  const { database, act } = step.between;
  for (const server of servers) if (server.database === database) server.image = act(server.image);
}

/** An error of a server is an outcome; any other is a fault of the code. */
async function outcomeOf(round: Promise<MasterRoundResult>): Promise<MasterRoundResult | ServerError> {
  try {
    return await round;
  } catch (error) {
    if (error instanceof ServerError) return error;
    throw error;
  }
}

function imagesAfter(world: World, servers: readonly Server[], rolledBack: ReadonlyMap<number, Image>): Pick<RoundRun, 'world' | 'committed'> {
  const committed = new Map<number, Image>();
  const after = servers.reduce((sum, server) => {
    const before = rolledBack.get(server.database);
    if (before !== undefined) committed.set(server.database, server.image);
    return withSide(sum, server.database, { image: before ?? server.image, disk: server.disk });
  }, world);
  return { world: after, committed };
}

export type Judge = {
  readonly newId: () => string;
  /** The row as the decision makes it; notes what was decided. */
  readonly judged: (row: SettledRow) => SettledRow;
  readonly decided: () => readonly Decided[];
};

/**
 * Follows the decisions of a round, and makes the row where the choice is to merge.
 *
 * @param next counted up
 */
export function makeJudge(next: { decision: number; version: number }, choice: RoundStep['choice'] | null): Judge {
  const found = new Map<string, { readonly decided: Decided; readonly row: SettledRow }>();
  const decide = (id: string, row: SettledRow): { decided: Decided; row: SettledRow } => {
    const candidates = (row.record?.versions ?? []).map((version) => rowOf(version.row));
    const event = next.version++;
    const known = candidates.reduce((sum, each) => sum | each.known, bit(event));
    const chosen = choice === 'merge' ? mergedRow(candidates, event) : rowOf(row.row);
    const made = { ...row, row: textOf(keyOf(row.row), { ...chosen, events: bit(event), known }) };
    return { decided: { id, key: keyOf(row.row), winner: rowOf(made.row), candidates }, row: made };
  };
  return {
    newId: () => `c${next.decision++}`,
    judged: (row) => {
      if (row.record === null) return row;
      const known = found.get(row.record.id) ?? decide(row.record.id, row);
      found.set(row.record.id, known);
      return known.row;
    },
    decided: () => [...found.values()].map(({ decided }) => decided),
  };
}

/** What a handler that merges would return: a row that nobody had, made of all. */
function mergedRow(candidates: readonly Judged[], version: number): Pick<Judged, 'text' | 'version' | 'ancestors'> {
  return { text: `v${version}`, version, ancestors: candidates.reduce((sum, each) => sum | each.ancestors, bit(version)) };
}

/** The world in which these of the commits have survived. */
export function surviving({ world, committed, decided }: RoundRun, survivors: readonly number[]): World {
  const after = survivors.reduce((sum, database) => {
    const image = committed.get(database);
    return image === undefined ? sum : withSide(sum, database, { image, disk: sideOf(sum, database).disk });
  }, world);
  if (decided.length === 0 || survivors.length === 0) return after;
  const { version, decision, time } = world.next;
  const next = { version: version + decided.length, decision: decision + decided.length, time };
  return { ...after, next, decisions: [...after.decisions, ...decided] };
}
