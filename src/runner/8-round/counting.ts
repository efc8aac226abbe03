import type { PlanTable } from '../../plan/plan.ts';
import type { QualifiedName } from '../../sql/quote.ts';
import type { Result, Statement } from '../postgres/session.ts';
import { textArray } from '../postgres/text-array.ts';
import { readTokens } from './changed-tables/changed-tables.sql.ts';
import { readFilled } from './source.sql.ts';

/** What `countPending` says of one table. */
export type PendingTable = {
  /** Index into the sync's tables. */
  readonly ordinal: number;
  /** Entries in the delta table; a key may have many. */
  readonly entries: number;
  readonly allInserts: boolean;
  readonly truncated: boolean;
};

/**
 * What one look found: the tables with pending changes, those whose delta tables are not empty, and of each of these what the catalog says
 * of it in the same snapshot, in short (`readTokens`).
 */
export type Counted = { readonly pending: readonly PendingTable[]; readonly filled: readonly number[]; readonly tokens: ReadonlyMap<number, string> };

type Batch = (statements: readonly Statement[]) => Promise<readonly Result[]>;

/** One count of a sync's pending changes, begun in the batch that takes the snapshot. */
export type Counting = {
  /** To be sent after the snapshot has been taken. */
  readonly statements: readonly Statement[];
  /** Takes their answers and asks what is still missing, in the same snapshot. */
  finish(answers: readonly Result[], batch: Batch): Promise<Counted>;
};

/** Counts pending changes of a sync again and again. */
export type Counter = {
  begin(): Counting;
  /** The same tables from another position in the same snapshot. */
  of(ordinals: readonly number[]): readonly Statement[];
};

/**
 * A look costs by the number of tables with changes, not of all tables: a flag says which delta tables are empty. It is read after
 * the snapshot was taken. A change that the snapshot sees set its table's flag before it was committed; a flag that says `empty` now
 * was put back since by someone who held the segments exclusively and found that the change had been purged, which means that every
 * target has it. The counts of the tables that were not empty at the last look travel in the same batch, so that most looks are one
 * round trip.
 */
export function makeCounter(tables: readonly PlanTable[]): Counter {
  const flags = textArray(tables.map(({ filled }) => filled));
  const last: { filled: readonly number[] } = { filled: [] };
  const of = (ordinals: readonly number[]): readonly Statement[] =>
    ordinals.map((ordinal) => ({ name: `sarrio_pending_${ordinal}`, text: tables[ordinal]?.countPending ?? '' }));
  const asked = (ordinals: readonly number[]): readonly Statement[] =>
    ordinals.length === 0 ? [] : [...of(ordinals), readTokens(sourcesOf(tables, ordinals))];
  const begin = (): Counting => {
    const guessed = last.filled;
    const finish: Counting['finish'] = async ([found, ...counted], batch) => {
      const filled = (found?.lists ?? []).map(([ordinal]) => Number(ordinal));
      const known = new Set(guessed);
      const missing = filled.filter((ordinal) => !known.has(ordinal));
      const more = missing.length > 0 ? await batch(asked(missing)) : [];
      last.filled = filled;
      const tokens = new Map([...tokensOf(guessed, counted.at(-1)), ...tokensOf(missing, more.at(-1))]);
      return { pending: pendingTables([...counted.slice(0, -1), ...more.slice(0, -1)]), filled, tokens };
    };
    return { statements: [{ name: 'sarrio_filled', text: readFilled, values: [flags] }, ...asked(guessed)], finish };
  };
  return { begin, of };
}

/** The tables' names in the source. */
export function sourcesOf(tables: readonly Pick<PlanTable, 'source'>[], ordinals: readonly number[]): readonly QualifiedName[] {
  return ordinals.flatMap((ordinal) => tables[ordinal]?.source ?? []);
}

/** The answer of `readTokens` for these tables. */
export function tokensOf(ordinals: readonly number[], answer: Result | undefined): readonly (readonly [number, string])[] {
  return (answer?.lists ?? []).map(([place, token]) => [ordinals[Number(place)] ?? -1, token ?? '']);
}

/** Answers of `countPending`, in the order of the tables. */
export function pendingTables(answers: readonly Result[]): readonly PendingTable[] {
  return answers.flatMap(({ lists }) => lists.map(pendingTable)).sort((a, b) => a.ordinal - b.ordinal);
}

function pendingTable([ordinal, entries, inserts, truncated]: readonly (string | null)[]): PendingTable {
  return { ordinal: Number(ordinal), entries: Number(entries), allInserts: inserts === 't', truncated: truncated === 't' };
}
