import { beforeAll, describe, expect, test } from 'vitest';
import type { MultiMasterSync } from '../../src/index.ts';
import { catchUp, follow, onAll } from '../support/follow.ts';
import type { Installation } from '../support/installation.ts';
import { rowsOf } from '../support/masters.ts';
import { type Standing, standing } from '../support/standing.ts';
import { waitUntil } from '../support/wait.ts';

/** Multi-master syncs of two databases each, over one table, that go round in a ring. */
const NAMES = ['a', 'b', 'c', 'd'] as const;
type Name = (typeof NAMES)[number];

const SCHEMA = "create table t (id integer primary key, v text); insert into t select g, 'old' from generate_series(1, 20) g;";

const between = (members: readonly Name[]): MultiMasterSync => {
  return { mode: 'multi-master', members, tables: ['public.t'], onConflict: 'last-update-wins', existingRows: 'keep' };
};
const THREE = { ab: between(['a', 'b']), bc: between(['b', 'c']), ca: between(['c', 'a']) };
const FOUR = { ab: between(['a', 'b']), bc: between(['b', 'c']), cd: between(['c', 'd']), da: between(['d', 'a']) };

const stage: { standing?: Standing<Name> } = {};

beforeAll(async () => {
  const made = await standing({ a: SCHEMA, b: SCHEMA, c: SCHEMA, d: SCHEMA }, THREE);
  stage.standing = made;
  return made.dispose;
}, 120_000);

function now(): Standing<Name> {
  if (stage.standing === undefined) throw new Error('nothing stands');
  return stage.standing;
}

/** The project with some of its syncs: the databases of the others do not hear of each other. */
function only(project: Installation, ...names: readonly string[]): Installation {
  const generated = async () => {
    const all = await project.generated();
    return { ...all, plan: { ...all.plan, syncs: Object.fromEntries(Object.entries(all.plan.syncs).filter(([each]) => names.includes(each))) } };
  };
  return { ...project, generated };
}

/** All is carried; the databases hold the same rows, and another run finds nothing. */
async function settles(names: readonly Name[]): Promise<readonly string[]> {
  const { at, settle, differences } = now();
  await settle();
  expect(await differences(names, ['public.t'])).toEqual([]);
  expect((await settle()).filter(({ kind }) => kind === 'masters-round')).toEqual([]);
  return rowsOf(at.a);
}

async function valueAt(name: Name, id: number): Promise<string | undefined> {
  return (await now().at[name].query<{ v: string }>('select v from t where id = $1', [id]))[0]?.v;
}

/** What was decided since. */
async function decidedBy(work: () => Promise<unknown>): Promise<readonly string[]> {
  const before = await now().decided('public.t');
  await work();
  const after = [...(await now().decided('public.t'))];
  for (const each of before) after.splice(after.indexOf(each), 1);
  return after;
}

describe('a ring of three', () => {
  const three = ['a', 'b', 'c'] as const;

  test('what is inserted, updated or deleted anywhere arrives everywhere, nothing is decided, and then all is quiet', async () => {
    const { at } = now();
    const decided = await decidedBy(async () => {
      await at.a.script("insert into t values (101, 'a'); update t set v = 'a' where id = 1; delete from t where id = 11");
      await at.b.script("insert into t values (102, 'b'); update t set v = 'b' where id = 2; delete from t where id = 12");
      await at.c.script("insert into t values (103, 'c'); update t set v = 'c' where id = 3; update t set id = 113 where id = 13");
      const rows = await settles(three);
      expect(rows).toEqual(expect.arrayContaining(['(101,a)', '(102,b)', '(103,c)', '(1,a)', '(2,b)', '(3,c)', '(113,old)']));
      expect(rows).toHaveLength(21);
    });
    expect(decided).toEqual([]);
  });

  test('a row that several have changed is decided once, by time, wherever the changes meet', async () => {
    const { at } = now();
    const decided = await decidedBy(async () => {
      for (const name of ['b', 'a'] as const) await at[name].script(`update t set v = 'of ${name}' where id = 4`);
      await settles(three);
    });
    expect(await valueAt('c', 4)).toBe('of a');
    // Where they meet is open: at c it is what has come from a.
    expect(decided).toEqual([expect.stringMatching(/^update\/update take [ac]$/)]);
  });

  test('a change that was made on top of another one is no conflict with it, though the two come by different ways', async () => {
    const { at, project } = now();
    const decided = await decidedBy(async () => {
      await at.a.script("update t set v = 'first' where id = 5");
      await catchUp(only(project, 'ca'));
      expect(await valueAt('c', 5)).toBe('first');
      await at.a.script("update t set v = 'second' where id = 5");
      await catchUp(only(project, 'ab'));
      expect([await valueAt('b', 5), await valueAt('c', 5)]).toEqual(['second', 'first']);
      await settles(three);
    });
    expect(await valueAt('c', 5)).toBe('second');
    expect(decided).toEqual([]);
  });

  test('a row that becomes what it was before, at two databases and at different times, comes to rest', async () => {
    const { at, project } = now();
    await at.b.script("update t set v = 'back' where id = 6");
    await catchUp(only(project, 'bc'));
    await at.a.script("update t set v = 'back' where id = 6");
    await catchUp(only(project, 'ca'));
    await at.c.script("update t set v = 'on' where id = 6");
    await at.a.script("update t set v = 'back' where id = 6; delete from t where id = 6");
    await at.b.script("delete from t where id = 6; insert into t values (6, 'back')");
    await settles(three);
  });

  test('where two databases cannot reach each other the changes come round the other way, and once they can there is nothing to do', async () => {
    const { at, project } = now();
    const decided = await decidedBy(async () => {
      await at.a.script("update t set v = 'long way' where id between 7 and 9");
      await catchUp(only(project, 'bc', 'ca'));
      expect(await valueAt('b', 8)).toBe('long way');
      await at.b.script("update t set v = 'and back' where id = 8");
      await settles(three);
    });
    expect(await valueAt('a', 8)).toBe('and back');
    expect(decided).toEqual([]);
  });

  test('while a database is away the others go on; back again, it has all, and all have its own', async () => {
    const { at, project } = now();
    const [server] = await at.a.query<{ name: string }>('select current_database() as name');
    expect(server).toBeDefined();
    const [{ name = '' } = {}] = await at.c.query<{ name: string }>('select current_database() as name');
    await at.c.script("insert into t values (201, 'of c')");
    await at.a.script(`alter database "${name}" allow_connections false`);
    await at.a.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name]);
    const following = follow(project);
    await at.a.script("insert into t values (202, 'of a')");
    await waitUntil('the other two go on', async () => (await valueAt('b', 202)) === 'of a', { timeoutMs: 30_000 });
    await at.a.script(`alter database "${name}" allow_connections true`);
    await waitUntil('it is back', async () => (await valueAt('b', 201)) === 'of c', { timeoutMs: 60_000 });
    await following.stop();
    await settles(three);
  }, 120_000);

  test('a table that one database does not take waits there, goes on between the others, and comes after without a conflict', async () => {
    const { at, project } = now();
    await at.c.script("alter table t add constraint no_bad check (v <> 'bad')");
    const following = follow(project);
    const decided = await decidedBy(async () => {
      await at.a.script("update t set v = 'bad' where id = 16");
      const stops = async (): Promise<number> => (await at.c.query('select from sarrio.stopped')).length;
      await waitUntil('both ways to it are stopped, and the third is not', async () => (await stops()) === 2 && (await valueAt('b', 16)) === 'bad', {
        timeoutMs: 60_000,
      });
      await at.b.script("update t set v = 'meanwhile' where id = 17");
      await at.c.script("update t set v = 'of c' where id = 18");
      await waitUntil('the others go on', async () => (await valueAt('a', 17)) === 'meanwhile', { timeoutMs: 30_000 });
      expect([await valueAt('c', 17), await valueAt('a', 18)]).toEqual(['old', 'old']);
      await at.c.script('alter table t drop constraint no_bad');
      for (const sync of ['bc', 'ca']) await project.kick('--sync', sync);
      await waitUntil('it has come after', async () => (await valueAt('c', 17)) === 'meanwhile' && (await valueAt('b', 18)) === 'of c', { timeoutMs: 60_000 });
      await following.stop();
      await settles(three);
    });
    expect(await valueAt('c', 16)).toBe('bad');
    expect(decided).toEqual([]);
  }, 180_000);

  test('verify finds the same, and status nothing pending', async () => {
    const { project } = now();
    await settles(three);
    expect(await project.verify()).toMatchObject({ exit: 'ok' });
    const { data } = await project.status();
    expect(JSON.stringify(data)).not.toMatch(/"pending":[1-9]/);
  });
});

test('a sync of three and one of two that share two databases: what one of them cannot bring comes by the other, and nothing comes twice', async () => {
  const { reshape, at, project } = now();
  await reshape({ abc: between(['a', 'b', 'c']), bc: between(['b', 'c']) });
  const decided = await decidedBy(async () => {
    await at.b.script("update t set v = 'by bc' where id = 14");
    await catchUp(only(project, 'bc'));
    expect([await valueAt('a', 14), await valueAt('c', 14)]).toEqual(['old', 'by bc']);
    await at.c.script("update t set v = 'on top' where id = 14");
    await at.a.script("update t set v = 'of a' where id = 15");
    await settles(['a', 'b', 'c']);
    expect([await valueAt('a', 14), await valueAt('c', 15)]).toEqual(['on top', 'of a']);
  });
  expect(decided).toEqual([]);
});

test('a ring of four: changes at all of one row, and rows of each, come to one end everywhere', async () => {
  const { reshape, at } = now();
  await onAll([at.d], "delete from t; insert into t select g, 'old' from generate_series(1, 20) g");
  await onAll([at.a, at.b, at.c], "delete from t; insert into t select g, 'old' from generate_series(1, 20) g");
  await reshape(FOUR);
  for (let turn = 0; turn < 2; turn += 1) {
    for (const name of NAMES) await at[name].script(`update t set v = '${name} ${turn}' where id = 1; insert into t values (${300 + turn}, '${name}')`);
    await at.b.script(`update t set v = 'b' where id = ${2 + turn}`);
    await at.d.script(`delete from t where id = ${2 + turn}`);
    const rows = await settles(NAMES);
    expect(rows).toEqual(expect.arrayContaining([`(1,"d ${turn}")`, `(${300 + turn},d)`]));
    expect(rows.some((row) => row.startsWith(`(${2 + turn},`))).toBe(false);
  }
  const twice = await Promise.all(NAMES.map((name) => at[name].query('select id from sarrio.conflict group by id having count(*) > 1')));
  expect(twice.flat()).toEqual([]);
});
