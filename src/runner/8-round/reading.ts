import { fewEntriesOf, type Flow } from '../../plan/flows.ts';
import type { Clock } from '../clock.ts';
import type { Failpoint } from '../failpoint.ts';
import { keyOf, rowsAlone, rowsInMemory, type TextRows, type Wanted } from './reading-rows.ts';
import { makeMutex, type Mutex } from '../mutex.ts';
import { readTables, type TableFacts } from '../5-inspect/read-tables.ts';
import { startBeating } from './heartbeat.ts';
import { readReferences, readTokens } from './changed-tables/changed-tables.sql.ts';
import type { LockedTables } from './locked-tables.ts';
import { type BulkReader, bulkReader } from './reading-bulk.ts';
import { refuseChanged } from './changed-tables/read-too-late.ts';
import { type Counter, type PendingTable, pendingTables, sourcesOf, tokensOf } from './counting.ts';
import { formatPosition, type History, type Position, positionAt } from '../../plan/position.ts';
import type { Session } from '../postgres/session.ts';
import type { SourcePool } from './source-pool.ts';
import { beginReading, endReading, endRows, exportSnapshot, flushWal, isFlushed, setPosition, stillThere, takeSnapshot } from './source.sql.ts';
import type { Result } from '../postgres/statement.ts';

/** A snapshot of the source with the changes after a position. Shared by the streams that read from there. */
export type Reading = BulkReader & {
  /** The position that pending changes were counted from. */
  readonly from: Position;
  /** The position that a target has reached once it has applied everything pending here. */
  readonly position: Position;
  readonly pending: readonly PendingTable[];
  /** Tables whose delta tables are not there. */
  readonly gone: readonly number[];
  /** What the catalog says, in this snapshot, of each table with changes (`readTokens`), by ordinal. */
  readonly tokens: ReadonlyMap<number, string>;
  /** The same of tables without any. */
  tokensOf(ordinals: readonly number[]): Promise<ReadonlyMap<number, string>>;
  /** Exactly what tables look like in this snapshot, by display name. */
  facts(ordinals: readonly number[]): Promise<ReadonlyMap<string, TableFacts>>;
  /** Pairs of tables of the sync of which the first has a foreign key to the second. */
  references(): Promise<readonly (readonly [number, number])[]>;
  /** The source had on disk, when the snapshot was taken, all that it saw: no crash can give its transaction ids out again. */
  readonly isOnDisk: boolean;
  /** Value of `sarrio.registry` once everything pending was locked against purging. */
  readonly registry: string;
  /** The same count from another position, in the same snapshot: for a table whose copy is newer than the stream's watermark. */
  pendingFrom(position: Position): Promise<readonly PendingTable[]>;
  /** How many changes of a table are few. */
  readonly few: number;
  /** Rows of a few changes, by table and route, in one round trip; a table whose rows are too large for this comes back as null. */
  rows(wanted: readonly Wanted[]): Promise<readonly (TextRows | null)[]>;
  /** Resolves once the source has on disk everything that this snapshot saw. No target may commit before. */
  durable(): Promise<void>;
  release(): Promise<void>;
};

type Parts = {
  readonly name: string;
  readonly sync: Flow;
  readonly counter: Counter;
  readonly hopes: Hopes;
  readonly session: Session;
  /** Tables that are locked already. */
  readonly locked: LockedTables | null;
  readonly pool: SourcePool;
  readonly from: Position;
  readonly history: History;
  readonly clock: Clock;
  readonly failpoint: Failpoint;
  readonly query: (text: string) => Promise<Result>;
};

/** What the last reading was asked for by `rows`: the next one is likely to be asked for the same, and brings it along with its count. */
export type Hopes = { wanted: readonly Wanted[] };

/** Hands out a reading, once for each stream; null to one that follows on from elsewhere and for which other changes are pending. */
export type Join = (from: Position) => Promise<Reading | null>;

/** Takes the snapshot and counts what is pending: one round trip, three when a table has changes whose delta table was empty before. */
export async function beginSharedReading(parts: Parts): Promise<Join> {
  const { session, from, history, hopes, sync } = parts;
  await parts.failpoint('round.source.before-snapshot');
  const hoped = parts.locked !== null || hopes.wanted.length > MOST_HOPES ? [] : hopes.wanted;
  hopes.wanted = [];
  const hoping = hoped.length === 0 ? [] : rowsAlone(sync, hoped);
  const { head, extra, pending, filled, gone, tokens, registry } = await parts.counter.count(session, [beginReading, takeSnapshot(from)], hoping);
  await parts.failpoint('round.source.after-snapshot');
  const [snapshot, lsn, isOnDisk] = head[1]?.lists[0] ?? [];
  if (hoped.length > 0) refuseChanged(parts.name, extra.at(-1 - endRows.length));
  const rows = completeRows({ pending, few: fewEntriesOf(sync) }, hoped, extra.slice(1));
  const found = { pending, filled, gone, tokens, rows, lsn: lsn ?? '', isOnDisk: isOnDisk === 't', registry };
  return sharedReading(parts, { ...found, position: positionAt(history, snapshot ?? '') });
}

/** More tables than this are not read on a chance. */
const MOST_HOPES = 8;

/** What came along with the count, where it is all that is pending. */
function completeRows(
  { pending, few }: { pending: readonly PendingTable[]; few: number },
  hoped: readonly Wanted[],
  answers: readonly Result[],
): ReadonlyMap<string, TextRows | null> {
  const isComplete = ({ ordinal }: Wanted): boolean => pending.some((each) => each.ordinal === ordinal && each.entries <= few);
  return new Map(hoped.flatMap((each, index) => (isComplete(each) ? [[keyOf(each), rowsInMemory(answers[index])] as const] : [])));
}

type Seen = {
  readonly position: Position;
  readonly pending: readonly PendingTable[];
  /** Tables whose delta tables are not empty. */
  readonly filled: readonly number[];
  readonly gone: readonly number[];
  readonly tokens: ReadonlyMap<number, string>;
  /** By table and route. */
  readonly rows: ReadonlyMap<string, TextRows | null>;
  readonly lsn: string;
  readonly isOnDisk: boolean;
  readonly registry: string;
};

function sharedReading(parts: Parts, seen: Seen): Join {
  const { session, pool, clock, locked } = parts;
  const open = { users: 0, isBroken: false };
  const oneByOne = makeMutex();
  const exclusive: Mutex = (task) =>
    oneByOne(task).catch((error: unknown) => {
      open.isBroken = true;
      throw error;
    });
  const once = <T>(task: () => Promise<T>): (() => Promise<T>) => {
    const kept: { value: Promise<T> | null } = { value: null };
    return () => {
      kept.value ??= task();
      return kept.value;
    };
  };
  const exported = once(() => exclusive(async () => (await session.query(exportSnapshot)).rows[0]?.['snapshot'] ?? ''));
  const durable = once(async () => (seen.isOnDisk ? undefined : makeDurable(parts, seen.lsn, exclusive)));
  // While a target applies, nobody asks anything here; a runner that froze must not keep its locks on the user's tables.
  const endBeating = startBeating(session, clock, () => exclusive(() => session.query(stillThere)));
  const rows = locked === null ? rowsReader(parts, seen.rows, exclusive) : noRows;
  const pendingFrom = countReader(parts, seen.filled, exclusive);
  const bulk = bulkReader(parts, exported);
  const hand = (): Reading => {
    open.users += 1;
    return {
      from: parts.from,
      position: seen.position,
      pending: seen.pending,
      few: fewEntriesOf(parts.sync),
      gone: seen.gone,
      tokens: seen.tokens,
      ...catalogReader(parts, exclusive),
      isOnDisk: seen.isOnDisk,
      registry: seen.registry,
      pendingFrom,
      rows,
      durable,
      ...bulk,
      release: async () => {
        open.users -= 1;
        if (open.users > 0) return;
        await endBeating();
        await locked?.release();
        if (!session.isOpen()) return;
        // A failed statement may fail for ever on this connection (a plan kept for a table that was altered since).
        if (open.isBroken) return session.destroy();
        await exclusive(() => session.query(endReading));
        pool.giveBack(session);
      },
    };
  };
  return joining({ from: parts.from, pending: seen.pending, pendingFrom, hand });
}

function catalogReader({ session, sync }: Parts, exclusive: Mutex): Pick<Reading, 'tokensOf' | 'facts' | 'references'> {
  return {
    tokensOf: async (ordinals) => {
      if (ordinals.length === 0) return new Map();
      const [answer] = await exclusive(() => session.batch([readTokens(sourcesOf(sync.tables, ordinals))]));
      return new Map(tokensOf(ordinals, answer));
    },
    references: async () => {
      const [answer] = await exclusive(() => session.batch([readReferences(sync.tables.map(({ source }) => source))]));
      return (answer?.lists ?? []).map(([child, parent]) => [Number(child), Number(parent)]);
    },
    facts: (ordinals) => exclusive(() => readTables(session, sourcesOf(sync.tables, ordinals), null)),
  };
}

type Joining = Pick<Reading, 'from' | 'pending' | 'pendingFrom'> & { readonly hand: () => Reading };

/**
 * Of two positions of one history, one covers the other, so in one snapshot as many changes pending after both are the same changes:
 * then it does not matter which of the two they are read from.
 */
function joining({ from, pending, pendingFrom, hand }: Joining): Join {
  return async (other) => {
    const reading = hand();
    if (formatPosition(other) === formatPosition(from)) return reading;
    const theirs = await pendingFrom(other).catch(async (error: unknown) => {
      await reading.release();
      throw error;
    });
    if (arePending(theirs, pending)) return reading;
    await reading.release();
    return null;
  };
}

function arePending(some: readonly PendingTable[], others: readonly PendingTable[]): boolean {
  const alike = (one: PendingTable, other: PendingTable | undefined): boolean => one.ordinal === other?.ordinal && one.entries === other.entries;
  return some.length === others.length && some.every((each, index) => alike(each, others[index]));
}

function countReader({ counter, session, from }: Parts, filled: readonly number[], exclusive: Mutex): Reading['pendingFrom'] {
  const kept = new Map<string, Promise<readonly PendingTable[]>>();
  return (position) => {
    const key = formatPosition(position);
    const count =
      kept.get(key) ??
      exclusive(async () => {
        const answers = await session.batch([setPosition(position), ...counter.of(filled), setPosition(from)]);
        return pendingTables(answers.slice(1, -1));
      });
    kept.set(key, count);
    return count;
  };
}

/** Targets alike read the same rows once: the answers are kept by table and route as long as the reading lives. */
function rowsReader({ name, sync, session, hopes }: Parts, known: Seen['rows'], exclusive: Mutex): Reading['rows'] {
  const kept = new Map<string, Promise<TextRows | null>>([...known].map(([key, rows]) => [key, Promise.resolve(rows)]));
  return async (wanted) => {
    hopes.wanted = wanted.map(({ ordinal, route }) => ({ ordinal, route }));
    const fresh = wanted.filter((each) => !kept.has(keyOf(each)));
    if (fresh.length > 0) {
      const answers = exclusive(async () => {
        const results = await session.batch(rowsAlone(sync, fresh));
        refuseChanged(name, results.at(-1 - endRows.length));
        return results.slice(1);
      });
      fresh.forEach((each, index) => {
        kept.set(
          keyOf(each),
          answers.then((results) => rowsInMemory(results[index])),
        );
      });
    }
    return Promise.all(wanted.map((each) => kept.get(keyOf(each)) ?? Promise.resolve(null)));
  };
}

/** For a reading whose tables are locked: all rows travel through the connection that holds the locks. */
const noRows: Reading['rows'] = async (wanted) => wanted.map(() => null);

/** Often the log is on disk already; otherwise one small commit of our own waits for it. */
async function makeDurable(parts: Parts, lsn: string, exclusive: Mutex): Promise<void> {
  const [flushed] = await exclusive(() => parts.session.batch([isFlushed(lsn)]));
  if (flushed?.lists[0]?.[0] === 't') return;
  await parts.failpoint('round.source.before-flush');
  await parts.query(flushWal);
  await parts.failpoint('round.source.after-flush');
}
