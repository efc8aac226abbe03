import type { TableShape } from '../../../plan/plan.ts';
import { displayName } from '../../../sql/quote.ts';
import { readTables, type TableFacts } from '../../5-inspect/read-tables.ts';
import type { Clock } from '../../clock.ts';
import type { StreamName } from '../../events.ts';
import type { Session } from '../../postgres/session.ts';
import { tokensOf } from '../counting.ts';
import type { Reading } from '../reading.ts';
import type { StreamTable } from '../work.ts';
import { guardTokens, readTokens } from './changed-tables.sql.ts';
import { dependsOnStop, restStop, shapeStop, type TableStop } from './table-stop.ts';
import { sourceFaults, targetFaults } from './shape-faults.ts';
import type { Result, Statement } from '../../postgres/statement.ts';

/** What the plan relies on in the two databases of a stream, by display name. */
export type StreamShapes = { readonly source: Readonly<Record<string, TableShape>>; readonly target: Readonly<Record<string, TableShape>> };

/** How often a target is asked whether a table there has been mended. */
const TARGET_EVERY_MS = 1_000;

/** Of one table in one database: what its token was when it was last looked at, and what was found wrong then. */
type Verdict = { readonly token: string | null; readonly faults: readonly string[] };

/** Thrown out of a round's transaction: a table of the target is not what the plan was compiled for. Nothing of the round stays. */
export class TargetChanged extends Error {
  constructor() {
    super('a table of the target is not what the plan was compiled for');
  }
}

/** The same, before anybody has looked whether it still fits. */
export class TargetMoved extends Error {
  constructor() {
    super('a table of the target was altered');
  }
}

/** Thrown out of a round's transaction: other tables rest by now. */
export class RestingChanged extends Error {
  constructor() {
    super('a migration began or ended');
  }
}

/**
 * Watches whether the tables of one stream are what the plan was compiled for. Looking costs no round trip of its own while nothing
 * changes: the statements of a round bring a token of each table, and a table is looked at exactly only when its token has moved.
 */
export type TableWatch = {
  /** The tables that this reading's round has to leave out, with the reason. */
  stopsIn(reading: Reading, joining: readonly number[]): Promise<ReadonlyMap<number, TableStop>>;
  /** To be sent in the round's transaction once its rows are written: from then on nobody can alter the tables. */
  ask(tables: readonly StreamTable[]): Statement;
  /** Takes its answer. @throws TargetChanged when a table does not fit: what was written may be wrong. */
  check(target: Session, tables: readonly StreamTable[], answer: Result | undefined): Promise<void>;
  /** A statement that fails the transaction unless the tables are as they were when they fitted; null while that is not known of all of them. */
  guard(tables: readonly StreamTable[]): Statement | null;
  /** A guard failed: what was known of the target's tables is void. */
  forgetTarget(): void;
  /** After a statement failed and was rolled back: whether tables of the target are the cause. */
  explains(target: Session, tables: readonly StreamTable[]): Promise<boolean>;
  /** The tables that rest by order of a migration, as the watermark has them. */
  resting(): string;
  rest(resting: string): void;
  /** Milliseconds until a table that waits for its target should be looked at; infinite when there is none. */
  dueIn(): number;
};

type Parts = {
  readonly stream: StreamName;
  readonly tables: readonly StreamTable[];
  readonly shapes: StreamShapes;
  readonly target: Session;
  readonly clock: Clock;
  readonly resting: string;
};

type State = {
  readonly source: Map<number, Verdict>;
  readonly target: Map<number, Verdict>;
  resting: string;
  targetAskedAt: number;
  references: { readonly token: string; readonly pairs: readonly (readonly [number, number])[] } | null;
};

export function makeTableWatch(parts: Parts): TableWatch {
  const { tables, target: session, clock } = parts;
  const state: State = { source: new Map(), target: new Map(), resting: parts.resting, targetAskedAt: Number.NEGATIVE_INFINITY, references: null };
  const isWaiting = (): boolean => [...state.target.values()].some(({ faults }) => faults.length > 0);
  return {
    stopsIn: async (reading, joining) => {
      await lookAtSource(parts, state, { reading, joining });
      if (isWaiting() && clock.now() - state.targetAskedAt >= TARGET_EVERY_MS) await lookAgain(parts, state, session);
      return withDependents(parts, state, { reading, own: ownStops(parts, state) });
    },
    ask: (asked) => readTokens(asked.map(({ table }) => table.target)),
    check: async (target, asked, answer) => {
      const tokens = new Map(
        tokensOf(
          asked.map(({ ordinal }) => ordinal),
          answer,
        ),
      );
      const moved = asked.filter(({ ordinal }) => state.target.get(ordinal)?.token !== tokens.get(ordinal));
      await judgeTarget(parts, state, { session: target, asked: moved, tokens });
      const wrong = moved.filter(({ ordinal }) => hasFaults(state.target.get(ordinal)));
      if (wrong.length > 0) throw new TargetChanged();
    },
    guard: (asked) => {
      const verdicts = asked.map(({ ordinal }) => state.target.get(ordinal));
      const tokens = verdicts.flatMap((verdict) => (verdict === undefined || verdict.token === null || hasFaults(verdict) ? [] : [verdict.token]));
      return tokens.length === asked.length
        ? guardTokens(
            asked.map(({ table }) => table.target),
            tokens,
          )
        : null;
    },
    forgetTarget: () => state.target.clear(),
    explains: async (target, asked) => {
      await judgeTarget(parts, state, { session: target, asked, tokens: new Map() });
      return asked.some(({ ordinal }) => hasFaults(state.target.get(ordinal)));
    },
    resting: () => state.resting,
    rest: (resting) => {
      // What a migration did is looked at anew.
      if (resting !== state.resting) for (const verdicts of [state.source, state.target]) verdicts.clear();
      state.resting = resting;
    },
    dueIn: () => (isWaiting() || tables.some(({ ordinal }) => hasFaults(state.source.get(ordinal))) ? TARGET_EVERY_MS : Number.POSITIVE_INFINITY),
  };
}

function hasFaults(verdict: Verdict | undefined): boolean {
  return verdict !== undefined && verdict.faults.length > 0;
}

/** Tables without changes have no token in the reading; those that wait for something are asked for all the same. */
async function lookAtSource(
  { tables, shapes }: Parts,
  { source }: State,
  { reading, joining }: { reading: Reading; joining: readonly number[] },
): Promise<void> {
  const unasked = [...new Set([...joining, ...[...source].filter(([, verdict]) => hasFaults(verdict)).map(([ordinal]) => ordinal)])];
  const more = await reading.tokensOf(unasked.filter((ordinal) => !reading.tokens.has(ordinal)));
  const tokens = new Map([...reading.tokens, ...more]);
  const moved = [...tokens].filter(([ordinal, token]) => source.get(ordinal)?.token !== token).map(([ordinal]) => ordinal);
  if (moved.length === 0) return;
  const facts = await reading.facts(moved);
  for (const ordinal of moved) {
    const name = displayName(tables[ordinal]?.table.source ?? { schema: '', name: '' });
    source.set(ordinal, { token: tokens.get(ordinal) ?? null, faults: faultsOf(sourceFaults, shapes.source[name], facts.get(name)) });
  }
}

type Judged = { readonly session: Session; readonly asked: readonly StreamTable[]; readonly tokens: ReadonlyMap<number, string> };

async function judgeTarget({ shapes }: Parts, { target }: State, { session, asked, tokens }: Judged): Promise<void> {
  if (asked.length === 0) return;
  const facts = await readTables(
    session,
    asked.map(({ table }) => table.target),
    null,
  );
  for (const { ordinal, relation } of asked) {
    target.set(ordinal, { token: tokens.get(ordinal) ?? null, faults: faultsOf(targetFaults, shapes.target[relation], facts.get(relation)) });
  }
}

/** Tables that wait for their target: whether they were mended. */
async function lookAgain(parts: Parts, state: State, session: Session): Promise<void> {
  state.targetAskedAt = parts.clock.now();
  const waiting = parts.tables.filter(({ ordinal }) => hasFaults(state.target.get(ordinal)));
  await judgeTarget(parts, state, { session, asked: waiting, tokens: new Map() });
}

type Judge = (shape: TableShape, facts: TableFacts | undefined) => readonly string[];

/** A table that the plan says nothing of cannot be judged. */
function faultsOf(judge: Judge, shape: TableShape | undefined, facts: TableFacts | undefined): readonly string[] {
  return shape === undefined ? [] : judge(shape, facts);
}

function ownStops({ stream, tables }: Parts, { source, target, resting }: State): Map<number, TableStop> {
  const rests = new Set(restingTables(resting));
  const stops = tables.flatMap(({ ordinal, relation, table }): (readonly [number, TableStop])[] => {
    if (rests.has(relation)) return [[ordinal, restStop()]];
    const sides = [
      { database: stream.source, table: displayName(table.source), faults: source.get(ordinal)?.faults ?? [] },
      { database: stream.target, table: relation, faults: target.get(ordinal)?.faults ?? [] },
    ].filter(({ faults }) => faults.length > 0);
    return sides.length === 0 ? [] : [[ordinal, shapeStop(sides)]];
  });
  return new Map(stops);
}

/** A table with a foreign key to one that is left out would show rows whose parents are missing. */
async function withDependents(
  { tables }: Parts,
  state: State,
  { reading, own }: { reading: Reading; own: Map<number, TableStop> },
): Promise<ReadonlyMap<number, TableStop>> {
  if (own.size === 0) return own;
  const token = [...own.keys()].join(' ');
  if (state.references?.token !== token) state.references = { token, pairs: await reading.references() };
  const stops = new Map(own);
  for (let size = -1; size !== stops.size; ) {
    size = stops.size;
    for (const [child, parent] of state.references.pairs) {
      if (stops.has(parent) && !stops.has(child)) stops.set(child, dependsOnStop(tables[parent]?.relation ?? ''));
    }
  }
  return stops;
}

/** `{public.orders,"public.\"Odd\""}`: as PostgreSQL writes an array of text. */
export function restingTables(resting: string): readonly string[] {
  return [...resting.slice(1, -1).matchAll(/"((?:[^"\\]|\\.)*)"|([^",]+)/g)].map(([, quoted, plain]) => plain ?? (quoted ?? '').replace(/\\(.)/g, '$1'));
}
