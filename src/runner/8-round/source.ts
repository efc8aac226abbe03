import { setImmediate } from 'node:timers/promises';
import type { Flow } from '../../plan/flows.ts';
import { failure } from '../../plan/errors.ts';
import type { Clock } from '../clock.ts';
import type { Failpoint } from '../failpoint.ts';
import { makeMutex } from '../mutex.ts';
import { formatPosition, type History, type Position, sameHistory } from '../../plan/position.ts';
import { orDestroy } from '../postgres/or-destroy.ts';
import type { Result, Session } from '../postgres/session.ts';
import { makeCounter } from './counting.ts';
import { beginSharedReading, type Reading } from './reading.ts';
import { isReplica, readHistory } from './source.sql.ts';

/** One sync's source while it can be reached. Losing its first connection ends it. */
export type Source = {
  readonly history: History;
  /** Opens the changes after `from`. Streams that ask for the same position at the same moment share one snapshot. */
  open(from: Position): Promise<Reading>;
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
  const query: Source['query'] = (text, values) => exclusive(() => utility.query(text, values));
  return {
    history,
    open: sharing(async (from) => {
      const session = await pool.acquire();
      try {
        return await beginSharedReading({ ...options, counter, session, pool, from, history, query });
      } catch (error) {
        session.destroy();
        throw error;
      }
    }),
    query,
    isOpen: pool.isOpen,
    onLost: pool.onLost,
    close: pool.close,
  };
}

/** Connections for snapshots, kept between rounds. */
export type SourcePool = {
  acquire(): Promise<Session>;
  giveBack(session: Session): void;
  isOpen(): boolean;
  onLost(listener: () => void): void;
  close(): Promise<void>;
};

function makePool(connect: () => Promise<Session>, first: Session): SourcePool {
  const idle: Session[] = [];
  const all = new Set<Session>();
  const listeners: (() => void)[] = [];
  const state = { lost: false };
  const watch = (session: Session): Session => {
    all.add(session);
    session.onLost(() => {
      all.delete(session);
      if (session !== first) return;
      state.lost = true;
      for (const listener of listeners) listener();
    });
    return session;
  };
  watch(first);
  return {
    acquire: async () => {
      const ready = idle.pop();
      if (ready) return ready;
      const session = await connect();
      // Closed while this one was under way: nobody would close it.
      if (!state.lost) return watch(session);
      session.destroy();
      throw new Error('the source was closed meanwhile');
    },
    giveBack: (session) => void (session.isOpen() && !state.lost && idle.push(session)),
    isOpen: () => !state.lost,
    onLost: (listener) => {
      if (state.lost) listener();
      else listeners.push(listener);
    },
    close: async () => {
      state.lost = true;
      await Promise.all([...all].map((session) => session.close()));
    },
  };
}

/** Requests for one position that come within one turn of the event loop, as they do when a wake reaches all streams, become one. */
function sharing(begin: (from: Position) => Promise<() => Reading>): (from: Position) => Promise<Reading> {
  const gathering = new Map<string, Promise<() => Reading>>();
  const gather = async (key: string, from: Position): Promise<() => Reading> => {
    await setImmediate();
    gathering.delete(key);
    return begin(from);
  };
  return async (from) => {
    const key = formatPosition(from);
    const shared = gathering.get(key) ?? gather(key, from);
    gathering.set(key, shared);
    const join = await shared;
    return join();
  };
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
