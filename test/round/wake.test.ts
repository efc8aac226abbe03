import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createDatabase, openDatabase, type TestDatabase } from '../support/database.ts';
import { type Following, follow } from '../support/follow.ts';
import { installation } from '../support/installation.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { waitUntil } from '../support/wait.ts';

/** Below the safety poll: who sees a row sooner was woken. */
const SOON_MS = 1_500;
const T = 'create table t (id integer primary key, v text);';

describe.each([
  ['NOTIFY, no prepared transactions', '0'],
  ['a polled flag, prepared transactions allowed', '10'],
])('%s', (_, prepared) => {
  const stage: { server: TestServer | null; count: number } = { server: null, count: 0 };
  beforeAll(async () => {
    stage.server = await startServer({ durable: false, flags: ['-c', `max_prepared_transactions=${prepared}`] });
  });
  afterAll(() => stage.server?.dispose());

  async function database(name: string): Promise<TestDatabase> {
    const { server } = stage;
    if (!server) throw new Error('no server');
    stage.count += 1;
    await createDatabase(server.url('postgres'), `${name}_${stage.count}`);
    const made = openDatabase(server.url(`${name}_${stage.count}`));
    onTestFinished(() => made.close());
    await made.script(T);
    return made;
  }

  async function following(): Promise<{ source: TestDatabase; target: TestDatabase; following: Following }> {
    const [source, target] = [await database('source'), await database('target')];
    const project = await installation({
      databases: { source, target },
      syncs: { s: { mode: 'one-way', source: 'source', targets: ['target'], tables: ['public.t'] } },
    });
    expect((await project.apply()).diagnostics).toEqual([]);
    const running = follow(project);
    await asleep(source);
    return { source, target, following: running };
  }

  const flag = async (source: TestDatabase): Promise<unknown> => (await source.query('select last_value::int as flag from sarrio.wake_s'))[0]?.['flag'];
  const asleep = (source: TestDatabase) => waitUntil('the runner sleeps', async () => (await flag(source)) === 2);
  const has = (target: TestDatabase, id: number) => async () => (await target.query('select from t where id = $1', [id])).length === 1;

  test('every single commit is seen at once, and the runner sleeps again', async () => {
    const { source, target, following: running } = await following();
    for (let id = 1; id <= 100; id += 1) {
      await source.query('insert into t values ($1)', [id]);
      if (id % 10 === 0) await waitUntil(`row ${id} is there`, has(target, id), { timeoutMs: SOON_MS, everyMs: 3 });
    }
    await asleep(source);
    await source.query('insert into t values (1000)');
    await waitUntil('the row is there', has(target, 1000), { timeoutMs: SOON_MS, everyMs: 3 });
    await running.stop();
  });

  test('a transaction that wrote while the runner was busy, and commits when it sleeps', async () => {
    const { source, target, following: running } = await following();
    for (let turn = 1; turn <= 5; turn += 1) {
      await source.query("select setval('sarrio.wake_s', 1)");
      const slow = await source.connect();
      await slow.query(`begin; insert into t values (${turn})`);
      await source.query("select setval('sarrio.wake_s', 2)");
      await slow.query('commit');
      await slow.end();
      // Set by hand, the flag bypasses the runner's own waiting; only the safety poll is left, which must be there.
      await waitUntil('the row is there', has(target, turn), { timeoutMs: 6_000 });
    }
    await running.stop();
  });

  test('under load the triggers are told not to notify, and all rows arrive', async () => {
    const { source, target, following: running } = await following();
    const busy = { seen: false, id: 0, inRow: 0 };
    const writers = [1, 2, 3].map(async () => {
      const deadline = performance.now() + 8_000;
      while (!busy.seen && performance.now() < deadline) {
        busy.id += 1;
        await source.query('insert into t values ($1)', [busy.id]);
        if (busy.id % 20 !== 0) continue;
        busy.inRow = (await flag(source)) === 2 ? 0 : busy.inRow + 1;
        busy.seen ||= busy.inRow === 10;
      }
    });
    await Promise.all(writers);
    expect(busy.seen).toBe(true);
    await waitUntil('all rows are there', async () => (await target.query('select from t')).length === busy.id, { timeoutMs: SOON_MS });
    await asleep(source);
    await running.stop();
  });

  test('a runner that went away while it slept costs the next transaction alone a wake', async () => {
    const { source, target, following: running } = await following();
    await running.stop();
    expect(await flag(source)).toBe(2);
    await source.query('insert into t values (1)');
    expect(await flag(source)).toBe(prepared === '0' ? 1 : 3);
    const held = await source.query(
      "select from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())",
    );
    expect(held).toEqual([]);
    expect(await has(target, 1)()).toBe(false);
  });

  test('an insert that is rolled back wakes nobody for ever', async () => {
    const { source, target, following: running } = await following();
    await source.query('begin; insert into t values (1); rollback');
    await asleep(source);
    await source.query('insert into t values (2)');
    await waitUntil('the row is there', has(target, 2), { timeoutMs: SOON_MS });
    await running.stop();
  });

  test.skipIf(prepared === '0')('a prepared transaction, committed while the runner sleeps', async () => {
    const { source, target, following: running } = await following();
    const client = await source.connect();
    await client.query("begin; insert into t values (1); prepare transaction 'p'");
    await waitUntil('the runner has looked', async () => (await flag(source)) !== 3);
    await asleep(source);
    await client.query("commit prepared 'p'");
    await client.end();
    await waitUntil('the row is there', has(target, 1), { timeoutMs: SOON_MS });
    await running.stop();
  });
});
