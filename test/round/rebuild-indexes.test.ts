import { describe, expect, test } from 'vitest';
import type { OneWaySync } from '../../src/index.ts';
import { eventText } from '../../src/runner/print-text.ts';
import { INDEX_POINTS, RANGE_POINTS } from '../crash/points.ts';
import { tablesEqual } from '../support/compare.ts';
import type { TestDatabase } from '../support/database.ts';
import { catchUp, cutOff } from '../support/follow.ts';
import { oneWayPair, type Pair } from '../support/one-way.ts';
import { guarded, runHints, serverMajor } from '../support/roles.ts';

const T = 'create table big (id integer primary key, code integer unique, v text, tags text[], at date);';
const INDEXES = `create index plain on big (v);
  create index "Odd ""name"" of it" on big (lower(v) collate "C" text_pattern_ops desc nulls last, (id + 1)) include (code) with (fillfactor = 70) where id > 5;
  alter index "Odd ""name"" of it" alter column 2 set statistics 333;
  comment on index "Odd ""name"" of it" is 'it''s said';
  create index tagged on big using gin (tags) with (fastupdate = off);
  create index by_day on big (at); alter table big cluster on by_day;
  create unique index unique_too on big (id, v);
  create table parent (id integer primary key); alter table big add foreign key (code) references parent deferrable;`;
const FILL = "insert into big select g, g, repeat('x', 80) || g, array[g::text], date '2026-01-01' + g from generate_series(1, 30000) g";
const SYNC: OneWaySync = {
  mode: 'one-way',
  source: 'source',
  targets: ['target'],
  tables: ['public.big'],
  copy: { chunk: '1 MB', jobs: 3, rebuildIndexes: true },
};

/** Everything that can be said of the indexes and constraints of the table. */
async function indexes(target: TestDatabase): Promise<readonly unknown[]> {
  return target.query(`select c.relname, pg_get_indexdef(c.oid) as definition, obj_description(c.oid, 'pg_class') as comment, c.reltablespace::int as place,
      i.indisclustered, i.indisreplident, i.indisvalid, i.indisready, c.relowner::regrole::text as owner,
      (select jsonb_agg(a.attstattarget order by a.attnum) from pg_attribute as a where a.attrelid = c.oid) as statistics,
      (select jsonb_agg(jsonb_build_array(k.conname, pg_get_constraintdef(k.oid), k.convalidated) order by k.conname)
        from pg_constraint as k where k.conrelid = i.indrelid and k.contype in ('p', 'u', 'f')) as constraints
    from pg_index as i join pg_class as c on c.oid = i.indexrelid
    where i.indrelid = 'public.big'::regclass order by c.relname`);
}

async function names(target: TestDatabase): Promise<readonly string[]> {
  return (await target.query<{ name: string }>("select indexname as name from pg_indexes where tablename = 'big' order by 1")).map(({ name }) => name);
}

/** Into a tablespace of its own. */
async function moveElsewhere(target: TestDatabase, index: string): Promise<void> {
  const client = await target.connect();
  try {
    await client.query('set allow_in_place_tablespaces = on');
    const [known] = (await client.query("select from pg_tablespace where spcname = 'elsewhere'")).rows;
    if (known === undefined) await client.query("create tablespace elsewhere location ''");
    await client.query(`alter index ${index} set tablespace elsewhere`);
  } finally {
    await client.end();
  }
}

const STAYS = ['big_code_key', 'big_pkey', 'unique_too'];

async function indexedPair(): Promise<Pair> {
  const { tables, copy } = SYNC;
  const pair = await oneWayPair(T, { tables, ...(copy ? { copy } : {}), targetSchema: `${T} ${INDEXES}` });
  await pair.source.query(FILL);
  return pair;
}

describe('indexes of an empty target', () => {
  test('are set aside while its rows come, and are as they were afterwards', async () => {
    const { source, target, project } = await indexedPair();
    if ((await serverMajor(target)) >= 15) await moveElsewhere(target, 'plain');
    const before = await indexes(target);
    expect(before).toHaveLength(7);
    const seen = new Set<string>();
    const events = await catchUp(project, async (name) => {
      if (name === 'copy.before-range-commit') seen.add((await names(target)).join());
      if (name === 'copy.before-whole') expect(await indexes(target)).toEqual(before);
    });
    expect([...seen]).toEqual([STAYS.join()]);
    expect(await indexes(target)).toEqual(before);
    expect(await target.query('select * from sarrio.set_aside')).toEqual([]);
    expect(await tablesEqual(source, target, 'public.big')).toBe(true);
    const lines = events.map((event) => eventText(event) ?? '');
    expect(lines.filter((line) => line.includes('4 indexes set aside until its rows are there'))).toHaveLength(1);
    expect(lines.filter((line) => /public\.big: index .* built again/.test(line))).toHaveLength(4);
  });

  test.each([...RANGE_POINTS, ...INDEX_POINTS])('a run that ends at %s has lost none of them', async (point) => {
    const { source, target, project } = await indexedPair();
    const before = await indexes(target);
    await cutOff(project, point, ['copy.before-ranges', 'copy.before-whole'].includes(point) ? 1 : 2);
    const aside = await target.query('select from sarrio.set_aside');
    expect((await names(target)).length + aside.length).toBe(7);
    await source.script("delete from big where id % 3 = 0; update big set v = 'moved' where id < 100");
    await catchUp(project);
    expect(await indexes(target)).toEqual(before);
    expect(await tablesEqual(source, target, 'public.big')).toBe(true);
  });

  test.each([
    ['destroy', async ({ project }: Pair) => expect((await project.destroy('--confirm', 'sarrio')).exit).toBe('ok')],
    [
      'a config that no longer says so',
      async ({ project }: Pair) => {
        await project.compile({ s: { ...SYNC, copy: { chunk: '1 MB' } } });
        expect((await project.approve()).exit).toBe('ok');
      },
    ],
    [
      'rows that are kept as they are, in the place of the copy',
      async ({ project }: Pair) => {
        await project.compile({ s: { ...SYNC, existingRows: 'keep' } });
        expect((await project.approve()).exit).toBe('ok');
        await catchUp(project);
      },
    ],
  ])('a copy that is given up leaves none behind: %s', async (_, giveUp) => {
    const pair = await indexedPair();
    const before = await indexes(pair.target);
    await cutOff(pair.project, 'copy.after-range', 2);
    expect(await names(pair.target)).toEqual(STAYS);
    await giveUp(pair);
    expect(await indexes(pair.target)).toEqual(before);
  });

  test('one that somebody has built in its place: the same one stays, another one is named', async () => {
    const { target, project } = await indexedPair();
    const before = await indexes(target);
    await cutOff(project, 'copy.after-range', 2);
    await target.script('create index plain on big (v); create index tagged on big (at)');
    await expect(catchUp(project)).rejects.toThrow('public.tagged stands in the way of an index that was set aside for a copy');
    await target.script('drop index tagged');
    await catchUp(project);
    expect(await indexes(target)).toEqual(before);
  });

  test('those of a table that holds rows stay where they are', async () => {
    const { source, target, project } = await indexedPair();
    await target.script("insert into parent values (1); insert into big values (1, 1, 'theirs')");
    await project.compile({ s: { ...SYNC, existingRows: 'replace' } });
    expect((await project.approve()).exit).toBe('ok');
    const before = await indexes(target);
    const seen = new Set<number>();
    await catchUp(project, async (name) => void (name === 'copy.before-range-commit' && seen.add((await names(target)).length)));
    expect([...seen]).toEqual([7]);
    expect(await indexes(target)).toEqual(before);
    expect(await tablesEqual(source, target, 'public.big')).toBe(true);
  });
});

test('whoever may not build them again may not set them aside: plan says what to grant, and so does the copy', async () => {
  const { source, target, project, roles, as } = await guarded(`${T} ${INDEXES}`, { syncs: { s: SYNC } });
  await target.script(`alter table big owner to ${roles.owner}`);
  const refused = await project.plan();
  expect(refused.exit).toBe('refused');
  expect(refused.diagnostics.map(({ code, where }) => `${code} ${where}`)).toEqual(['SAR435 database target, table public.big']);
  await runHints(target, refused.diagnostics);
  expect((await project.apply()).exit).toBe('ok');
  await source.script(`insert into parent select generate_series(1, 30000); ${FILL}`);
  const before = await indexes(target);
  await target.script(`revoke create on schema public from ${roles.runner}`);
  await expect(catchUp(as(roles.runner))).rejects.toThrow(`role ${roles.runner} may not build index public`);
  expect(await indexes(target)).toEqual(before);
  await target.script(`grant create on schema public to ${roles.runner}`);
  await catchUp(as(roles.runner));
  expect(await indexes(target)).toEqual(before);
  expect(await tablesEqual(source, target, 'public.big')).toBe(true);
});
