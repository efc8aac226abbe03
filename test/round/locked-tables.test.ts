import { expect, test } from 'vitest';
import { lockForReading } from '../../src/runner/8-round/locked-tables.ts';
import { beginReading, exportSnapshot } from '../../src/runner/8-round/source.sql.ts';
import { systemClock } from '../../src/runner/clock.ts';
import { connect } from '../../src/runner/postgres/session.ts';
import { freshDatabase } from '../support/databases.ts';
import { waitUntil } from '../support/wait.ts';

/** In which a minute is over in a moment. */
const FAST = { ...systemClock, sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms / 1_000, signal) };

test('tables that are locked before the snapshot is taken: kept from being emptied, and the server hears of the connection before and after it shows one', async () => {
  const database = await freshDatabase('locked');
  await database.script('create table t (id integer primary key); insert into t values (1)');
  const open = () => connect({ database: 'source', role: 'source', url: database.url, variable: 'URL' });
  const session = await open();
  const reading = await open();
  try {
    const pool = { acquire: async () => session, giveBack: () => undefined, isOpen: () => true, onLost: () => undefined, close: async () => undefined };
    const locked = await lockForReading(pool, [{ schema: 'public', name: 't' }], FAST);
    if (locked === null) throw new Error('nothing was locked');
    const heard = async (since: Date): Promise<boolean> => {
      const [row] = await database.query<{ at: Date; query: string }>('select state_change as at, query from pg_stat_activity where pid = $1', [
        session.backendPid,
      ]);
      return row !== undefined && row.query === 'show transaction_isolation' && row.at > since;
    };
    const now = async (): Promise<Date> => (await database.query<{ at: Date }>('select clock_timestamp() as at'))[0]?.at ?? new Date();
    const first = await now();
    await waitUntil('it is heard of', () => heard(first));
    await database.script('insert into t values (2)');
    const exported = async (): Promise<string> => {
      await reading.batch([beginReading]);
      return (await reading.query(exportSnapshot)).rows[0]?.['snapshot'] ?? '';
    };
    expect(await locked.take(exported)).toBe(session);
    const emptied = database.script('truncate t');
    await waitUntil(
      'TRUNCATE waits',
      async () => (await database.query("select from pg_locks where mode = 'AccessExclusiveLock' and not granted")).length === 1,
    );
    expect((await session.query('select count(*)::text as n from public.t')).rows).toEqual([{ n: '2' }]);
    expect([locked.putDown(reading), locked.putDown(session)]).toEqual([false, true]);
    const second = await now();
    await waitUntil('it is heard of again', () => heard(second));
    await locked.release();
    await emptied;
    expect(await lockForReading(pool, [{ schema: 'public', name: 'gone' }], FAST)).toBeNull();
  } finally {
    await Promise.all([session.close(), reading.close()]);
  }
});
