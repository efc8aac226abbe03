import { describe, expect, test } from 'vitest';
import { catchUp, follow } from '../support/follow.ts';
import { at, masters, rowsOf } from '../support/masters.ts';
import { waitUntil } from '../support/wait.ts';

const T = 'create table t (id integer primary key, v text);';

describe('two masters', () => {
  test('the rows of the first are copied to the second, and then every change goes both ways', async () => {
    const { members, rows } = await masters(T, { seed: "insert into t values (1, 'a'), (2, 'b')" });
    const [east, west] = [at(members, 0), at(members, 1)];
    expect(await rows()).toEqual(['(1,a)', '(2,b)']);
    await east.script("update t set v = 'east' where id = 1; insert into t values (3, 'c')");
    await west.script('delete from t where id = 2; insert into t values (4, null)');
    expect(await rows()).toEqual(['(1,east)', '(3,c)', '(4,)']);
  });

  test('nothing comes back to where it was made, and a second run finds nothing', async () => {
    const { members, project, settles } = await masters(T);
    await at(members, 0).script("insert into t select g, 'x' from generate_series(1, 50) g");
    await settles();
    const entries = async () => (await at(members, 1).query<{ n: number }>('select count(*)::int as n from sarrio.delta_public_t'))[0]?.n;
    expect(await entries()).toBe(0);
    expect((await catchUp(project)).filter(({ kind }) => kind === 'masters-round')).toEqual([]);
  });

  test('many rows on both sides at once, with some in conflict', async () => {
    const { members, rows, conflicts } = await masters(T, { seed: "insert into t select g, 'x' from generate_series(1, 6000) g" });
    await at(members, 0).script("update t set v = 'east' where id <= 4000");
    await at(members, 1).script("update t set v = 'west' where id > 3000; insert into t select g, 'new' from generate_series(6001, 8000) g");
    const all = await rows();
    expect(all.length).toBe(8_000);
    expect(all.filter((row) => row.endsWith(',east)')).length).toBe(3_000);
    expect((await conflicts()).length).toBe(1_000);
    expect(new Set(await conflicts())).toEqual(new Set(['update/update take west']));
  });
});

describe('conflicts', () => {
  test.each([
    ['last-update-wins', '(1,west)', 'update/update take west'],
    ['first-update-wins', '(1,east)', 'update/update take east'],
    [['west', 'east'], '(1,west)', 'update/update take west'],
    [['east'], '(1,east)', 'update/update take east'],
  ] as const)('update against update by %j', async (onConflict, row, what) => {
    const { members, rows, conflicts } = await masters(T, { sync: { onConflict }, seed: "insert into t values (1, 'old')" });
    await at(members, 0).script("update t set v = 'east'");
    await at(members, 1).script("update t set v = 'west'");
    expect(await rows()).toEqual([row]);
    expect(await conflicts()).toEqual([what]);
  });

  test.each([
    ['insert against insert', "insert into t values (1, 'east')", "insert into t values (1, 'west')", ['(1,west)'], ['insert/insert take west']],
    ['update against delete', "update t set v = 'east' where id = 9", 'delete from t where id = 9', [], ['update/delete take west']],
    ['delete against update', 'delete from t where id = 9', "update t set v = 'west' where id = 9", ['(9,west)'], ['delete/update take west']],
    ['delete against delete', 'delete from t where id = 9', 'delete from t where id = 9', [], []],
    [
      'delete against delete and insert',
      'delete from t where id = 9',
      "delete from t where id = 9; insert into t values (9, 'new')",
      ['(9,new)'],
      ['delete/insert take west'],
    ],
    ['the same change on both sides', "update t set v = 'same' where id = 9", "update t set v = 'same' where id = 9", ['(9,same)'], []],
    [
      'a key that changes against an update',
      'update t set id = 10 where id = 9',
      "update t set v = 'west' where id = 9",
      ['(10,old)', '(9,west)'],
      ['delete/update take west'],
    ],
  ])('%s', async (_, east, west, expected, recorded) => {
    const { members, rows, conflicts } = await masters(T, { seed: "insert into t values (9, 'old')" });
    await at(members, 0).script(east);
    await at(members, 1).script(west);
    expect((await rows()).filter((row) => row !== '(9,old)')).toEqual(expected);
    expect(await conflicts()).toEqual(recorded);
  });

  test('a change that has seen the other one is no conflict', async () => {
    const { members, rows, conflicts } = await masters(T, { seed: "insert into t values (1, 'old')" });
    await at(members, 0).script("update t set v = 'east'");
    await rows();
    await at(members, 1).script("update t set v = 'west'");
    expect(await rows()).toEqual(['(1,west)']);
    expect(await conflicts()).toEqual([]);
  });

  test('skip: every database keeps its row until the next change', async () => {
    const { members, project, conflicts, rows } = await masters(T, { sync: { onConflict: 'skip' }, seed: "insert into t values (1, 'old')" });
    await at(members, 0).script("update t set v = 'east'");
    await at(members, 1).script("update t set v = 'west'");
    await catchUp(project);
    expect([await rowsOf(at(members, 0)), await rowsOf(at(members, 1))]).toEqual([['(1,east)'], ['(1,west)']]);
    expect(await conflicts()).toEqual(['update/update skip']);
    await at(members, 0).script("update t set v = 'both'");
    expect(await rows()).toEqual(['(1,both)']);
  });

  test('stop: nothing is written and the reason is said', async () => {
    const { members, project } = await masters(T, { sync: { onConflict: 'stop' }, seed: "insert into t values (1, 'old')" });
    await at(members, 0).script("update t set v = 'east'");
    await at(members, 1).script("update t set v = 'west'");
    await expect(catchUp(project)).rejects.toMatchObject({ diagnostics: [{ code: 'SAR620' }] });
    expect([await rowsOf(at(members, 0)), await rowsOf(at(members, 1))]).toEqual([['(1,east)'], ['(1,west)']]);
  });

  test('the record holds the key and all versions', async () => {
    const { members, settles } = await masters(T, { seed: "insert into t values (1, 'old')" });
    await at(members, 0).script("update t set v = 'east'");
    await at(members, 1).script('delete from t');
    await settles();
    for (const member of members) {
      const [record] = await member.query('select sync, relation, key, strategy, versions from sarrio.conflict');
      expect(record).toMatchObject({
        sync: 'm',
        relation: 'public.t',
        key: { id: '1' },
        strategy: 'last-update-wins',
        versions: [
          { database: 'east', op: 'update', row: { id: '1', v: 'east' } },
          { database: 'west', op: 'delete', row: null },
        ],
      });
    }
  });
});

describe('three masters', () => {
  test('changes of each reach all, and three in conflict are decided once', async () => {
    const { members, rows, conflicts } = await masters(T, { count: 3, seed: "insert into t values (1, 'old')" });
    for (const [index, member] of members.entries())
      await member.script(`update t set v = 'm${index}' where id = 1; insert into t values (${10 + index}, 'own')`);
    expect(await rows()).toEqual(['(1,m2)', '(10,own)', '(11,own)', '(12,own)']);
    expect(await conflicts()).toEqual(['update/update/update take north']);
  });

  test('what one gave on while another was away is not overwritten unseen', async () => {
    const { members, project, rows, conflicts } = await masters(T, {
      count: 3,
      seed: "insert into t values (1, 'old')",
      sync: { onConflict: 'first-update-wins' },
    });
    const [east, west, north] = [at(members, 0), at(members, 1), at(members, 2)];
    const inside = await north.connect();
    await east.script(`alter database "${north.name}" with allow_connections false`);
    const following = follow(project);
    await east.script("update t set v = 'east'");
    await waitUntil('the two that are up are equal', async () => (await rowsOf(west))[0] === '(1,east)');
    await following.stop();
    await inside.query("update t set v = 'north'");
    await inside.end();
    await east.script(`alter database "${north.name}" with allow_connections true`);
    expect(await rows()).toEqual(['(1,east)']);
    expect(await conflicts()).toEqual(['update/update/update take east']);
  });

  test('a group of tables in one transaction arrives as one', async () => {
    const schema = 'create table t (id integer primary key, v text); create table u (id integer primary key, t integer references t);';
    const { members, settles } = await masters(schema, { count: 3, compared: ['public.t', 'public.u'] });
    await at(members, 1).script("begin; insert into t values (1, 'x'); insert into u values (1, 1); commit");
    await settles();
    expect(await rowsOf(at(members, 2), 'u')).toEqual(['(1,1)']);
  });
});
