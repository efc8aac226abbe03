import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import type { MasterTableConfig, MultiMasterSync } from '../../src/index.ts';
import { sarrio } from '../support/cli.ts';
import { freshDatabase } from '../support/databases.ts';
import { onAll } from '../support/follow.ts';
import { rowsOf } from '../support/masters.ts';
import { type Standing, standing } from '../support/standing.ts';

/** The scenarios of Bucardo's `t/40-conflict.t`: three masters and a target of one of them; a table for each, with the rule that it is about. */
type Name = 'a' | 'b' | 'c' | 'd';
const MASTERS = ['a', 'b', 'c'] as const;
const TABLES = ['plain', 'same_insert', 'listed', 'one_named', 'mixed', 'other', 'resting'];
const SCHEMA = TABLES.map((table) => `create table ${table} (id integer primary key, v text);`).join('');

const rule = (table: string, onConflict: MasterTableConfig['onConflict']): MasterTableConfig =>
  onConflict === undefined ? { table: `public.${table}` } : { table: `public.${table}`, onConflict };

const BETWEEN: MultiMasterSync = {
  mode: 'multi-master',
  members: MASTERS,
  tables: ['public.*', rule('listed', ['c', 'a', 'b']), rule('one_named', ['c']), rule('resting', 'skip')],
  onConflict: 'last-update-wins',
};

const stage: { standing?: Standing<Name> } = {};

beforeAll(async () => {
  const seeded = `${SCHEMA}${TABLES.map((table) => `insert into ${table} values (1, 'old'), (2, 'old');`).join('')}`;
  const standingNow = await standing<Name>(
    { a: seeded, b: SCHEMA, c: SCHEMA, d: SCHEMA },
    { between: BETWEEN, out: { mode: 'one-way', source: 'b', targets: ['d'], tables: ['public.*'] } },
  );
  stage.standing = standingNow;
  return standingNow.dispose;
});

function four(): Standing<Name> {
  if (stage.standing === undefined) throw new Error('nothing stands');
  return stage.standing;
}

/** Each in turn, at the database that it names; `V` is put in the place of the table's value. */
async function write(table: string, ...writes: readonly (readonly [name: Name, id: number, value: string])[]): Promise<void> {
  for (const [name, id, value] of writes) {
    await four().at[name].script(`insert into ${table} values (${id}, '${value}') on conflict (id) do update set v = excluded.v`);
  }
}

/** What all four hold. */
async function settled(table: string): Promise<readonly string[]> {
  await four().settle();
  expect(await four().differences(['a', 'b', 'c', 'd'], [`public.${table}`])).toEqual([]);
  return rowsOf(four().at.d, table);
}

test('a row without a conflict reaches the masters and the target', async () => {
  await write('plain', ['a', 3, 'a']);
  expect(await settled('plain')).toEqual(['(1,old)', '(2,old)', '(3,a)']);
});

test('the same key inserted on three masters', async () => {
  await write('same_insert', ['a', 3, 'a'], ['b', 3, 'b'], ['c', 3, 'c']);
  expect(await settled('same_insert')).toEqual(['(1,old)', '(2,old)', '(3,c)']);
  expect(await four().decided('public.same_insert')).toEqual(['insert/insert/insert take c']);
});

test('a list that names a database outside of the sync is refused, and what was compiled stays', async () => {
  const { project, at } = four();
  await expect(project.compile({ between: { ...BETWEEN, onConflict: ['a', 'b', 'd'] } })).rejects.toMatchObject({ diagnostics: [{ code: 'SAR263' }] });
  await write('plain', ['b', 4, 'b']);
  expect(await settled('plain')).toContain('(4,b)');
  expect(await rowsOf(at.a, 'plain')).toContain('(4,b)');
});

test('the list C, A, B: the first one wins against a later update; where it takes no part, the next one does', async () => {
  await write('listed', ['c', 1, 'c'], ['a', 1, 'a'], ['b', 1, 'b']);
  expect(await settled('listed')).toContain('(1,c)');
  await write('listed', ['a', 1, 'aa'], ['b', 1, 'bb']);
  expect(await settled('listed')).toContain('(1,aa)');
  expect(await four().decided('public.listed')).toEqual(['update/update take a', 'update/update/update take c']);
});

test('a list of one: a database that did not change the row does not win with its old one', async () => {
  await write('one_named', ['a', 1, 'a'], ['b', 1, 'b'], ['a', 2, 'a'], ['c', 2, 'c'], ['b', 2, 'b']);
  expect(await settled('one_named')).toEqual(['(1,a)', '(2,c)']);
});

test('the latest update wins for each row, not for the whole table and not over all tables', async () => {
  await write('mixed', ['a', 1, 'a'], ['b', 1, 'b'], ['b', 2, 'b'], ['a', 2, 'a'], ['c', 3, 'c'], ['b', 3, 'b'], ['a', 3, 'a'], ['c', 3, 'cc']);
  await write('other', ['c', 1, 'c'], ['b', 1, 'b'], ['a', 1, 'a'], ['c', 2, 'c'], ['b', 2, 'b'], ['c', 3, 'c']);
  expect(await settled('mixed')).toEqual(['(1,b)', '(2,a)', '(3,cc)']);
  expect(await settled('other')).toEqual(['(1,a)', '(2,b)', '(3,c)']);
});

test('skip, which the predecessor only documents: every master keeps its row until the next change', async () => {
  await write('resting', ['a', 1, 'a'], ['b', 1, 'b'], ['c', 1, 'c']);
  await four().settle();
  expect(await Promise.all(MASTERS.map((name) => four().at[name].query('select v from resting where id = 1')))).toEqual([
    [{ v: 'a' }],
    [{ v: 'b' }],
    [{ v: 'c' }],
  ]);
  await write('resting', ['b', 1, 'all']);
  expect(await settled('resting')).toEqual(['(1,all)', '(2,old)']);
});

test('code for the whole sync that ranks the masters, and code for one table that comes before it', async () => {
  const databases = await Promise.all(MASTERS.map((name) => freshDatabase(name)));
  await onAll(databases, 'create table ranked (id integer primary key, v text); create table named (id integer primary key, v text);');
  const dir = await mkdtemp(join(tmpdir(), 'sarrio-bucardo-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  await writeFile(join(dir, 'replication.config.ts'), WITH_CODE);
  const env = Object.fromEntries(MASTERS.map((name, index) => [`${name.toUpperCase()}_URL`, databases[index]?.url ?? '']));
  for (const args of [['pull'], ['compile'], ['apply'], ['run', '--until-caught-up']]) {
    expect(await sarrio(args, { cwd: dir, env })).toMatchObject({ exitCode: 0 });
  }
  for (const [index, database] of databases.entries()) {
    const own = `'${MASTERS[index] ?? ''}'`;
    await database.script(`insert into ranked values (1, ${own}); insert into named values (1, ${own}), (${index === 1 ? 2 : 3}, ${own})`);
  }
  expect(await sarrio(['run', '--until-caught-up'], { cwd: dir, env })).toMatchObject({ exitCode: 0 });
  for (const database of databases) {
    expect(await rowsOf(database, 'ranked')).toEqual(['(1,b)']);
    expect(await rowsOf(database, 'named')).toEqual(['(1,b)', '(2,b)', '(3,"no b")']);
  }
});

/** The sync's code ranks B, A, C; the table's names B for a row, and decides otherwise where B has no version of it. */
const WITH_CODE = `import { defineReplication, env, merge, take } from 'sarrio';

const RANKED = ['b', 'a', 'c'];

export default defineReplication({
  databases: { a: env('A_URL'), b: env('B_URL'), c: env('C_URL') },
  syncs: {
    between: {
      mode: 'multi-master',
      members: ['a', 'b', 'c'],
      tables: ['public.*', { table: 'public.named', onConflict: (conflict) => (conflict.version('b') ? take('b') : merge({ v: 'no b' })) }],
      onConflict: (conflict) => take(RANKED.find((name) => conflict.version(name) !== null) ?? conflict.latest.database),
    },
  },
});
`;
