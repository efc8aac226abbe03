import { describe, expect, test } from 'vitest';
import { differingRows } from '../support/compare.ts';
import { catchUp } from '../support/follow.ts';
import { replicated } from '../support/runner.ts';
import { found, verified } from '../support/verified.ts';

const T = 'create table t (id integer primary key, name text, n numeric);';
const FILL = "insert into t select g, 'row ' || g, g + 0.50 from generate_series(1, 3000) g";

describe('what verify finds', () => {
  test('nothing in equal tables, and says how many rows it compared', async () => {
    const { project, follows } = await replicated(T);
    await follows(FILL);
    const result = await verified(project);
    expect(result).toMatchObject({ exit: 'ok', diagnostics: [] });
    expect(result.tables).toMatchObject([{ state: 'equal', rows: { source: 3000, target: 3000 }, target: 'public.t' }]);
    expect(result.text).toContain('1 table: 1 equal');
  });

  test('each kind of difference, down to the key and the columns', async () => {
    const { target, project, follows } = await replicated(T);
    await follows(FILL);
    await target.script(`delete from t where id in (5, 6); insert into t values (-1, 'stray', 0);
      update t set name = 'changed' where id = 10; update t set n = n + 0.000 where id = 20; update t set name = null, n = null where id = 30;
      update t set name = '' where id = 40`);
    const result = await verified(project);
    expect(result.exit).toBe('differs');
    expect(found(result)).toEqual([
      'extra id=-1',
      'missing id=5',
      'missing id=6',
      'different id=10: name',
      'different id=20: n',
      'different id=30: name, n',
      'different id=40: name',
    ]);
    expect(result.tables[0]?.differences).toMatchObject({
      missing: 2,
      extra: 1,
      different: 4,
      inFlight: 0,
      columns: [
        { column: 'name', rows: 3 },
        { column: 'n', rows: 2 },
      ],
    });
    expect(result.text).toContain('different  id="30": name, n');
    expect(result.text).not.toContain('changed');
  });

  test('as many keys as were asked for, and the number of the rest', async () => {
    const { target, project, follows } = await replicated(T);
    await follows(FILL);
    await target.query("update t set name = 'x' where id <= 1000");
    const result = await verified(project, '--keys', '3');
    expect(found(result)).toEqual(['different id=1: name', 'different id=2: name', 'different id=3: name']);
    expect(result.tables[0]?.differences).toMatchObject({ different: 1000 });
    expect(result.text).toContain('and 997 more');
    expect(found(await verified(project, '--keys', '0'))).toEqual([]);
  });

  test('a target that is empty, and a source that is empty', async () => {
    const { source, target, project, follows } = await replicated(T);
    await follows(FILL);
    await target.query('delete from t');
    expect((await verified(project)).tables[0]?.differences).toMatchObject({ missing: 3000, extra: 0, different: 0 });
    await follows('delete from t');
    await target.script(FILL);
    expect((await verified(project)).tables[0]?.differences).toMatchObject({ missing: 0, extra: 3000, different: 0 });
    await target.query('delete from t');
    expect((await verified(project)).exit).toBe('ok');
    expect(await differingRows(source, target, 'public.t')).toEqual([]);
  });

  test('rows in flight say nothing, a real difference beside them does', async () => {
    const { source, target, project, follows } = await replicated(T);
    await follows(FILL);
    await source.script("update t set name = 'new' where id <= 500; delete from t where id between 501 and 600; insert into t values (9000, 'new', 1)");
    const before = await verified(project);
    expect(before.exit).toBe('ok');
    expect(before.tables[0]).toMatchObject({ state: 'equal', differences: { inFlight: 601 } });
    expect(before.text).toContain('601 in flight');
    await target.script("update t set name = 'planted' where id = 2000; insert into t values (-7, 'stray', 1); delete from t where id = 2001");
    await target.query("update t set name = 'healed by the round' where id = 3");
    const after = await verified(project);
    expect(after.exit).toBe('differs');
    expect(found(after)).toEqual(['extra id=-7', 'different id=2000: name', 'missing id=2001']);
    await catchUp(project);
    expect(found(await verified(project))).toEqual(found(after));
  });

  test('a sample says that it is one, and samples of everything find everything', async () => {
    const { target, project, follows } = await replicated(T);
    await follows(FILL);
    const sample = await verified(project, '--sample', '10');
    expect(sample).toMatchObject({ exit: 'ok', data: { sample: 10 } });
    expect(sample.text).toContain('Only a sample was compared: 10 % of the keys');
    const rows = sample.tables[0]?.rows?.source ?? 0;
    expect(rows).toBeGreaterThan(100);
    expect(rows).toBeLessThan(600);
    await target.query('delete from t where id = 77');
    expect(found(await verified(project, '--sample', '100'))).toEqual(['missing id=77']);
  });
});
