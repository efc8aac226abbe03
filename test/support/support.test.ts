import { describe, expect, test } from 'vitest';
import { sarrio, startSarrio } from './cli.ts';
import { differingRows, tablesEqual } from './compare.ts';
import { freshDatabase } from './databases.ts';
import { startServer } from './server.ts';
import { waitUntil } from './wait.ts';

describe('servers', () => {
  test('keep what was committed through a kill and an immediate stop, on the same port', async () => {
    const server = await startServer();
    try {
      const database = await server.createDatabase('Quoted "name"');
      await database.script('create table t (id int primary key); insert into t select generate_series(1, 1000)');
      const { port } = server;
      await server.kill();
      expect(server.isRunning()).toBe(false);
      await expect(database.query('select 1')).rejects.toThrow();
      await server.start();
      expect(await database.query('select count(*)::int as n from t')).toEqual([{ n: 1000 }]);
      await server.stop('immediate');
      await server.start();
      expect(await database.query('select count(*)::int as n from t')).toEqual([{ n: 1000 }]);
      expect(server.port).toBe(port);
      await database.close();
    } finally {
      await server.dispose();
    }
  });

  test('that cannot start show their log', async () => {
    await expect(startServer({ flags: ['-c', 'work_mem=nonsense'] })).rejects.toThrow(/work_mem/);
  });
});

describe('fresh databases', () => {
  test('are empty and apart', async () => {
    const [one, two] = await Promise.all([freshDatabase('one'), freshDatabase('two')]);
    await one.query('create table t (id int)');
    expect(await two.query("select to_regclass('t') as t")).toEqual([{ t: null }]);
  });
});

describe('comparing tables', () => {
  const ddl = `create table t (id int primary key, at timestamptz, note text);
    insert into t select g, timestamptz '2026-01-01Z' + g * interval '1 s', nullif('n' || g % 7, 'n3') from generate_series(1, 20000) g`;

  test('equal rows in another physical order are equal', async () => {
    const [source, target] = await Promise.all([freshDatabase('source'), freshDatabase('target')]);
    await source.script(ddl);
    await target.script(ddl);
    await target.query('update t set note = note where id % 3 = 0');
    expect(await differingRows(source, target, 'public.t')).toEqual([]);
  });

  test('names each row that only one side has', async () => {
    const [source, target] = await Promise.all([freshDatabase('source'), freshDatabase('target')]);
    await source.script(ddl);
    await target.script(ddl);
    await target.script("delete from t where id = 5; update t set note = 'changed' where id = 7");
    const rows = await differingRows(source, target, 'public.t');
    expect(rows).toHaveLength(3);
    expect(rows.filter((row) => row.includes('only at the source'))).toHaveLength(2);
    expect(rows.join()).toContain('changed');
  });

  test('follows other names, columns and filters', async () => {
    const [source, target] = await Promise.all([freshDatabase('source'), freshDatabase('target')]);
    await source.script(ddl);
    await target.script('create table copy (id int primary key, label text)');
    await target.query("insert into copy select g, upper('n' || g % 7) from generate_series(1, 20000) g where g % 7 <> 3");
    const mapping = { source: 'public.t', target: 'public.copy', columns: { id: 'id', label: 'upper(note)' }, where: 'note is not null' };
    expect(await tablesEqual(source, target, mapping)).toBe(true);
  });
});

describe('the program', () => {
  test('runs to its end', async () => {
    const result = await sarrio(['--help']);
    expect(result).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('sarrio') });
  });

  test('started in the background, its lines can be waited for', async () => {
    const running = startSarrio(['--help']);
    expect(await running.waitFor(/usage/i)).toMatch(/sarrio/);
    expect(await running.ended).toMatchObject({ exitCode: 0 });
  });
});

test('waiting fails with the last fault', async () => {
  const never = (): never => {
    throw new Error('not yet');
  };
  await expect(waitUntil('it is so', never, { timeoutMs: 50 })).rejects.toThrow(/until it is so/);
});
