import type { PlanTable } from '../../plan/plan.ts';
import type { QualifiedName } from '../../sql/quote.ts';
import type { Session } from '../postgres/session.ts';
import { textArray } from '../postgres/text-array.ts';
import { readTokens } from './changed-tables/changed-tables.sql.ts';
import { readFilled, readMoves } from './source.sql.ts';
import type { Result, Statement } from '../postgres/statement.ts';

/** What `countPending` says of one table. */
export type PendingTable = {
  /** Index into the sync's tables. */
  readonly ordinal: number;
  /** Entries in the delta table; a key may have many. */
  readonly entries: number;
  readonly allInserts: boolean;
  readonly truncated: boolean;
};

/** One count of a sync's pending changes. */
export type Counted = {
  /** Of the statements that took the snapshot. */
  readonly head: readonly Result[];
  /** Of the statements that were sent on the chance that their answers are needed. */
  readonly extra: readonly Result[];
  readonly pending: readonly PendingTable[];
  /** Tables whose delta tables may not be empty. */
  readonly filled: readonly number[];
  /** Tables whose delta tables are not there: nothing of them was counted. */
  readonly gone: readonly number[];
  /** What the catalog says of each of these tables in the same snapshot, in short (`readTokens`), by ordinal. */
  readonly tokens: ReadonlyMap<number, string>;
  /** Value of `sarrio.registry` once the flags had been read and everything pending was locked against purging. */
  readonly registry: string;
};

/** One connection. */
type Batching = Pick<Session, 'batch'>;

/** Counts pending changes of a sync again and again. */
export type Counter = {
  /** Sends `head`, which takes the snapshot, and counts what is pending in it; `extra` travels with the first count. */
  count(session: Batching, head: readonly Statement[], extra?: readonly Statement[]): Promise<Counted>;
  /** The same tables from another position in the same snapshot. */
  of(ordinals: readonly number[]): readonly Statement[];
};

/** The tables that were not marked empty when their flags were read, and the value of `sarrio.fillings` before that. */
type Known = { readonly fillings: string | null; readonly filled: readonly number[]; readonly gone: readonly number[] };

/**
 * A look costs by the number of tables with changes, not of all tables: a flag says which delta tables are empty. It is read after
 * the snapshot was taken. A change that the snapshot sees set its table's flag before it was committed; a flag that says `empty` now
 * was put back since by someone who held the segments exclusively and found that the change had been purged, which means that every
 * target has it.
 *
 * Nor are all flags read at every look. Whoever takes a flag away from `empty` changes `sarrio.fillings` before his transaction ends, and
 * so before a snapshot sees it. While its value, read after the snapshot, is the one that was read before the flags were, no table is
 * filled that was empty then. What is known is kept for each connection: a server that has crashed may give the same value out again.
 * The counts of the tables that were not empty at the last look travel in the same batch, so that most looks are one round trip.
 */
export function makeCounter(tables: readonly PlanTable[]): Counter {
  const flags: Statement = { name: 'sarrio_filled', text: readFilled, values: [textArray(tables.map(({ filled }) => filled))] };
  const bySession = new WeakMap<Batching, Known>();
  const last: { filled: readonly number[] } = { filled: [] };
  const of = (ordinals: readonly number[]): readonly Statement[] =>
    ordinals.map((ordinal) => ({ name: `sarrio_pending_${ordinal}`, text: tables[ordinal]?.countPending ?? '' }));
  const tokens = (ordinals: readonly number[]): readonly Statement[] => (ordinals.length === 0 ? [] : [readTokens(sourcesOf(tables, ordinals))]);
  const counted: Counter['count'] = async (session, head, extra = []) => {
    const known = bySession.get(session);
    const guessed = known?.filled ?? last.filled;
    const asking = [...of(guessed), ...tokens(guessed)];
    const answers = await session.batch([...head, ...asking, ...extra, MOVES]);
    const [countedFrom, countedTo] = [head.length, head.length + asking.length];
    const counts = answers.slice(countedFrom, countedFrom + guessed.length);
    const asked = { head: answers.slice(0, countedFrom), extra: answers.slice(countedTo, -1), tokens: new Map(tokensOf(guessed, answers[countedTo - 1])) };
    const moves = movesOf(answers);
    const looked = { ...asked, pending: pendingTables(counts), filled: guessed, gone: known?.gone ?? [], registry: moves.registry };
    if (known !== undefined && known.fillings !== null && known.fillings === moves.fillings) return looked;
    const read = await session.batch([flags, MOVES]);
    const [filled, gone] = [flagged(read[0], 'f'), flagged(read[0], 't')];
    bySession.set(session, { fillings: moves.fillings, filled, gone });
    last.filled = filled;
    const hasCounted = new Set(guessed);
    const missing = filled.filter((ordinal) => !hasCounted.has(ordinal));
    if (missing.length === 0) return { ...looked, filled, gone, registry: movesOf(read).registry };
    const more = await session.batch([...of(missing), ...tokens(missing), MOVES]);
    for (const [ordinal, token] of tokensOf(missing, more.at(-2))) looked.tokens.set(ordinal, token);
    return { ...looked, pending: pendingTables([...counts, ...more.slice(0, -2)]), filled, gone, registry: movesOf(more).registry };
  };
  // What was counted on a chance may be what is not there any more.
  const count: Counter['count'] = (session, head, extra) =>
    counted(session, head, extra).catch((error: unknown) => {
      last.filled = [];
      bySession.delete(session);
      throw error;
    });
  return { count, of };
}

/** Last in every batch that counts. */
const MOVES: Statement = { name: 'sarrio_moves', text: readMoves };

function movesOf(answers: readonly Result[]): { readonly registry: string; readonly fillings: string | null } {
  const [registry, fillings] = answers.at(-1)?.lists[0] ?? [];
  return { registry: registry ?? '', fillings: fillings ?? null };
}

/** Of the answer to `readFilled`: tables whose delta tables are there, or are gone. */
function flagged(answer: Result | undefined, isGone: 't' | 'f'): readonly number[] {
  return (answer?.lists ?? []).flatMap(([ordinal, is]) => (is === isGone ? [Number(ordinal)] : []));
}

/** The tables' names in the source. */
export function sourcesOf(tables: readonly Pick<PlanTable, 'source'>[], ordinals: readonly number[]): readonly QualifiedName[] {
  return ordinals.flatMap((ordinal) => tables[ordinal]?.source ?? []);
}

/** The answer of `readTokens` for these tables. */
export function tokensOf(ordinals: readonly number[], answer: Result | undefined): readonly (readonly [number, string])[] {
  if (ordinals.length === 0) return [];
  return (answer?.lists ?? []).map(([place, token]) => [ordinals[Number(place)] ?? -1, token ?? '']);
}

/** Answers of `countPending`, in the order of the tables. */
export function pendingTables(answers: readonly Result[]): readonly PendingTable[] {
  return answers.flatMap(({ lists }) => lists.map(pendingTable)).sort((a, b) => a.ordinal - b.ordinal);
}

function pendingTable([ordinal, entries, inserts, truncated]: readonly (string | null)[]): PendingTable {
  return { ordinal: Number(ordinal), entries: Number(entries), allInserts: inserts === 't', truncated: truncated === 't' };
}
