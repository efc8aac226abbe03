import { setImmediate } from 'node:timers/promises';
import type { Flow } from '../../plan/flows.ts';
import { failure } from '../../plan/errors.ts';
import type { Clock } from '../clock.ts';
import type { Failpoint } from '../failpoint.ts';
import { makeMutex } from '../mutex.ts';
import { formatPosition, type History, type Position, sameHistory } from '../../plan/position.ts';
import { orDestroy } from '../postgres/or-destroy.ts';
import type { Session } from '../postgres/session.ts';
import type { QualifiedName } from '../../sql/quote.ts';
import { makeCounter } from './counting.ts';
import { type LockedTables, lockForReading } from './locked-tables.ts';
import { beginSharedReading, type Hopes, type Join, type Reading } from './reading.ts';
import { importInto } from './reading-bulk.ts';
import { makePool } from './source-pool.ts';
import { endReading, isReplica, readHistory } from './source.sql.ts';
import type { Result } from '../postgres/statement.ts';

/** One sync's source while it can be reached. Losing its first connection ends it. */
export type Source = {
  readonly history: History;
  /**
   * Opens the changes after `from`. Streams that ask at the same moment share one snapshot when the same changes are pending for them.
   * Tables that are to be locked before the snapshot is taken get one of their own.
   */
  open(from: Position, locks?: readonly QualifiedName[]): Promise<Reading>;
  /** A connection that shows a snapshot which another one has exported, read only. */
  readAt(snapshot: string): Promise<Session>;
  endReading(session: Session): Promise<void>;
  /** A statement outside of any round, on a connection of its own. */
  query(text: string, values?: readonly (string | null)[]): Promise<Result>;
  isOpen(): boolean;
  onLost(listener: () => void): void;
  close(): Promise<void>;
};

export type SourceOptions = {
  readonly name: string;
  readonly sync: Flow;
  readonly connect: () => Promise<Session>;
  readonly clock: Clock;
  readonly failpoint: Failpoint;
};

/** Connects and learns which history the source is in. */
export async function openSource(options: SourceOptions): Promise<Source> {
  const utility = await options.connect();
  const history = await orDestroy(utility, async () => {
    await refuseReplica(options.name, utility);
    return historyOf(utility);
  });
  const connectAgain = async (): Promise<Session> => {
    const session = await options.connect();
    try {
      await refuseOtherHistory(options.name, history, session);
      return session;
    } catch (error) {
      utility.destroy();
      throw error;
    }
  };
  const pool = makePool(connectAgain, utility);
  const exclusive = makeMutex();
  const counter = makeCounter(options.sync.tables);
  const hopes: Hopes = { wanted: [] };
  const query: Source['query'] = (text, values) => exclusive(() => utility.query(text, values));
  const recent = recentPositions(options.clock);
  return {
    history,
    open: sharing(recent, async (from, locks) => {
      const session = await pool.acquire();
      let locked: LockedTables | null = null;
      try {
        locked = locks.length === 0 ? null : await lockForReading(pool, locks, options.clock);
        return await beginSharedReading({ ...options, counter, hopes, session, locked, pool, from, history, query });
      } catch (error) {
        session.destroy();
        await locked?.release();
        throw error;
      }
    }),
    readAt: (snapshot) => importInto(pool, snapshot),
    endReading: async (session) => {
      if (!session.isOpen()) return;
      await session.query(endReading).then(
        () => pool.giveBack(session),
        () => session.destroy(),
      );
    },
    query,
    isOpen: pool.isOpen,
    onLost: pool.onLost,
    close: pool.close,
  };
}

const RECENT_MS = 10_000;

/** Positions that streams were handed a moment ago: hardly anything can be pending after them. */
type Recent = { add(position: Position): void; has(key: string): boolean };

function recentPositions(clock: Clock): Recent {
  const handedOut = new Map<string, number>();
  return {
    add: (position) => {
      const now = clock.now();
      const added = formatPosition(position);
      // The latest ones come last, so that hardly any is looked at.
      handedOut.delete(added);
      handedOut.set(added, now);
      for (const [key, at] of handedOut) {
        if (now - at <= RECENT_MS) break;
        handedOut.delete(key);
      }
    },
    has: (key) => clock.now() - (handedOut.get(key) ?? Number.NEGATIVE_INFINITY) <= RECENT_MS,
  };
}

type Begin = (from: Position, locks: readonly QualifiedName[]) => Promise<Join>;

/**
 * Requests that come within one turn of the event loop, as they do when a wake reaches all streams, become one: those for one position,
 * and those for any position of a moment ago. A stream that is far behind must not let the others wait until its changes are counted.
 */
function sharing(recent: Recent, begin: Begin): Source['open'] {
  const gathering = new Map<string, Promise<Join>>();
  const gather = async (group: string, from: Position): Promise<Join> => {
    await setImmediate();
    gathering.delete(group);
    return begin(from, []);
  };
  const alone = async (from: Position, locks: readonly QualifiedName[]): Promise<Reading> => present(await (await begin(from, locks))(from));
  const joined = async (from: Position): Promise<Reading> => {
    const key = formatPosition(from);
    const group = recent.has(key) ? 'recent' : key;
    const shared = gathering.get(group) ?? gather(group, from);
    gathering.set(group, shared);
    const join = await shared;
    return (await join(from)) ?? alone(from, []);
  };
  return async (from, locks = []) => {
    const reading = await (locks.length === 0 ? joined(from) : alone(from, locks));
    recent.add(reading.position);
    return reading;
  };
}

function present(reading: Reading | null): Reading {
  if (reading === null) throw new Error('a reading refused the position that it was begun for');
  return reading;
}

/** Behind one name another server may answer now (failover, restore). Then everything learnt before is void, and the stream starts again. */
export async function refuseOtherHistory(name: string, history: History, session: Session): Promise<void> {
  if (sameHistory(history, await historyOf(session))) return;
  session.destroy();
  throw failure('failed', { code: 'SAR611', where: `database ${name}`, message: 'another server answers now than a moment ago' });
}

async function historyOf(session: Session): Promise<History> {
  const row = (await session.query(readHistory)).rows[0];
  return { system: row?.['system'] ?? '', database: row?.['database'] ?? '', timeline: Number(row?.['timeline']) };
}

async function refuseReplica(name: string, session: Session): Promise<void> {
  const row = (await session.query(isReplica)).rows[0];
  if (row?.['is_replica'] !== 't') return;
  throw failure('refused', {
    code: 'SAR404',
    where: `database ${name}`,
    message: 'the server is a standby in recovery; changes cannot be read from it',
    hint: 'Point its environment variable to the primary.',
  });
}
