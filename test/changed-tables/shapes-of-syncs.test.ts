import { beforeAll, describe, expect, test } from 'vitest';
import type { SyncConfig } from '../../src/index.ts';
import { buildOnce } from '../support/build.ts';
import type { TestDatabase } from '../support/database.ts';
import { freshDatabase } from '../support/databases.ts';
import { expectAlike, rowsOf } from '../support/masters.ts';
import { migratingProject, type MigratingProject } from '../support/migrating.ts';
import { waitUntil } from '../support/wait.ts';

/** Migrations of more than two masters: three that feed a copy, and a ring; and of two whose rules merge. */
type Step = { readonly sql: string; readonly killedAt?: string; readonly allow?: readonly string[]; readonly tables: readonly string[] };

type Stage = { readonly databases: Readonly<Record<string, TestDatabase>>; readonly project: MigratingProject; readonly members: readonly string[] };

const SCHEMA = "create table docs (id integer primary key, region text not null default 'eu', body text); create table others (id integer primary key)";

beforeAll(buildOnce, 180_000);

async function stage(names: readonly string[], members: readonly string[], syncs: Readonly<Record<string, SyncConfig>>): Promise<Stage> {
  const databases = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await freshDatabase(name)] as const)));
  for (const database of Object.values(databases)) await database.script(SCHEMA);
  return { databases, members, project: await migratingProject(databases, syncs) };
}

function databaseOf({ databases }: Stage, name: string): TestDatabase {
  const found = databases[name];
  if (found === undefined) throw new Error(`no database ${name}`);
  return found;
}

/** A row of each table and a change of the first one by each member, as far as they take one. */
async function write(stage: Stage, tables: readonly string[], turn: number): Promise<void> {
  for (const [index, member] of stage.members.entries()) {
    for (const table of tables) {
      const statement = `insert into ${table} (id) values (${100 * turn + index}); update ${table} set id = id where id = ${100 * turn - 100 + index}`;
      await databaseOf(stage, member)
        .query(statement)
        .catch((error: unknown) => expect((error as { code?: unknown }).code).toMatch(/^(40001|42P01)$/));
    }
  }
}

async function othersGoOn(stage: Stage, id: number, from = stage.members.at(-1) ?? ''): Promise<void> {
  await databaseOf(stage, from).query('insert into others values ($1)', [id]);
  for (const database of Object.values(stage.databases)) {
    await waitUntil('the other table goes on', async () => {
      if ((await database.query('select from others where id = $1', [id])).length === 1) return true;
      throw new Error(JSON.stringify(stage.project.events.slice(-5)));
    });
  }
}

/** One after the other. A runner that comes where one was killed in the middle knows no more than the plan from which it began. */
async function walk(stage: Stage, steps: readonly Step[]): Promise<void> {
  const { project } = stage;
  let runner = project.run();
  // Only the first member may write before the others have joined.
  await othersGoOn(stage, 1, stage.members[0]);
  await project.arrived();
  for (const [turn, { sql, killedAt, allow = [], tables }] of steps.entries()) {
    const [name, args] = [`${turn}.sql`, ['--drain', '10s', ...allow.flatMap((hazard) => ['--allow', hazard])]];
    if (killedAt !== undefined) {
      await project.migrateKilled(name, sql, { at: killedAt, args });
      await runner.stop();
      runner = project.run();
      await othersGoOn(stage, 10 + turn);
      await write(stage, tables, 50 + turn);
      await othersGoOn(stage, 20 + turn, stage.members[0]);
    }
    const outcome = await project.migrate(name, sql, ...args);
    expect({ sql, diagnostics: outcome.diagnostics, exit: outcome.exit }, outcome.stderr).toEqual({ sql, diagnostics: [], exit: 'ok' });
    await write(stage, tables, turn + 1);
  }
  await project.arrived();
  expect(await project.verify()).toMatchObject({ exit: 'ok', diagnostics: [] });
  await runner.stop();
}

describe('three masters, one of which feeds a copy', () => {
  test('columns, keys, names and new tables: what any master writes is everywhere in the end', async () => {
    const members = ['east', 'west', 'north'];
    const found = await stage([...members, 'copy'], members, {
      m: { mode: 'multi-master', members, tables: ['public.*'], onConflict: 'last-update-wins' },
      out: { mode: 'one-way', source: 'east', targets: ['copy'], tables: ['public.*'] },
    });
    await walk(found, [
      {
        sql: "alter table docs add column note text default 'n'",
        killedAt: 'migrate.west.committed',
        allow: ['expose-column:m/public.docs.note', 'expose-column:out/public.docs.note'],
        tables: ['docs', 'others'],
      },
      { sql: 'alter table docs rename column body to content', tables: ['docs', 'others'] },
      {
        sql: 'alter table docs drop constraint docs_pkey; alter table docs add primary key (id, region)',
        killedAt: 'migrate.east.committed',
        tables: ['docs', 'others'],
      },
      { sql: 'alter table docs rename to papers', killedAt: 'migrate.north.committed', tables: ['papers', 'others'] },
      { sql: 'create table fresh (id integer primary key, v text)', killedAt: 'migrate.before-write', tables: ['papers', 'fresh', 'others'] },
    ]);
    await expectAlike(Object.values(found.databases), ['public.papers', 'public.others', 'public.fresh']);
    expect(await rowsOf(databaseOf(found, 'copy'), 'fresh')).toHaveLength(6);
  }, 240_000);
});

describe('a ring', () => {
  test('a new table and a column: nobody takes for seen what only went by', async () => {
    const members = ['a', 'b', 'c'];
    const between = (...pair: readonly string[]): SyncConfig => {
      return { mode: 'multi-master', members: pair, tables: ['public.*'], onConflict: 'last-update-wins', existingRows: 'keep' };
    };
    const found = await stage(members, members, { ab: between('a', 'b'), bc: between('b', 'c'), ca: between('c', 'a') });
    await walk(found, [
      { sql: 'create table fresh (id integer primary key, v text)', killedAt: 'migrate.b.committed', tables: ['docs', 'fresh', 'others'] },
      { sql: 'alter table docs rename column body to content', killedAt: 'migrate.a.committed', tables: ['docs', 'fresh', 'others'] },
    ]);
    await expectAlike(Object.values(found.databases), ['public.docs', 'public.others', 'public.fresh']);
    expect((await rowsOf(databaseOf(found, 'c'), 'fresh')).length).toBeGreaterThan(6);
  }, 240_000);
});

describe('rules that merge', () => {
  const STOCK =
    "create table stock (id integer primary key, name text, price integer, pieces integer not null default 0); insert into stock values (1, 'n', 1, 100)";

  async function merging() {
    const [east, west] = [await freshDatabase('east'), await freshDatabase('west')];
    for (const member of [east, west]) await member.script(STOCK);
    const onConflict = { counters: ['pieces'], columns: 'merge', otherwise: 'last-update-wins' } as const;
    const project = await migratingProject(
      { east, west },
      { m: { mode: 'multi-master', members: ['east', 'west'], tables: [{ table: 'public.stock', onConflict }], onConflict, existingRows: 'keep' } },
    );
    return { east, west, project };
  }

  test('what was sold on the way of a renamed, a dropped and a new column, and of a renamed counter, adds up; columns are merged as before', async () => {
    const { east, west, project } = await merging();
    const sell = async (east: string, west: string, databases: readonly [TestDatabase, TestDatabase]): Promise<void> => {
      await databases[0].script(`update stock set ${east} where id = 1`);
      await databases[1].script(`update stock set ${west} where id = 1`);
    };
    const ends = [east, west] as const;
    let runner = project.run();
    await project.arrived();
    const steps: readonly (readonly [sql: string, east: string, west: string, counter: string, ...allow: string[]])[] = [
      ['alter table stock rename column name to title', "title = 'east', pieces = pieces - 1", 'price = 2, pieces = pieces - 2', 'pieces'],
      [
        'alter table stock add column note text',
        "note = 'east', pieces = pieces - 3",
        "title = 'west', pieces = pieces - 4",
        'pieces',
        'expose-column:m/public.stock.note',
      ],
      ['alter table stock drop column note', 'pieces = pieces - 5', 'price = 3, pieces = pieces - 6', 'pieces'],
      [
        'alter table stock rename column pieces to amount',
        'amount = amount - 7',
        "title = 'last', amount = amount - 8",
        'amount',
        'change-rule:m/public.stock onConflict',
      ],
    ];
    for (const [turn, [sql, atEast, atWest, counter, ...allow]] of steps.entries()) {
      // On their way when it begins.
      await sell('price = price + 10, pieces = pieces - 10', 'pieces = pieces - 20', ends);
      if (counter !== 'pieces') await project.reconfigure((config) => config.replaceAll('pieces', counter));
      const args = allow.flatMap((hazard) => ['--allow', hazard]);
      const outcome = await project.migrate(`${turn}.sql`, sql, '--drain', '10s', ...args);
      expect({ sql, diagnostics: outcome.diagnostics, exit: outcome.exit }, outcome.stderr).toEqual({ sql, diagnostics: [], exit: 'ok' });
      await project.arrived();
      await runner.stop();
      await sell(atEast, atWest, ends);
      runner = project.run();
      await project.arrived();
    }
    await runner.stop();
    await expectAlike(ends, ['public.stock']);
    expect(await west.query('select amount, title from stock')).toEqual([{ amount: 100 - 4 * 30 - 36, title: 'last' }]);
  }, 120_000);
});
