import { expect, test } from 'vitest';
import type { Failpoint } from '../../src/runner/failpoint.ts';
import type { TestDatabase } from '../support/database.ts';
import { freshDatabase } from '../support/databases.ts';
import { catchUp, onAll } from '../support/follow.ts';
import { installation } from '../support/installation.ts';
import { at, expectAlike, masters, type Masters, rowsOf } from '../support/masters.ts';

const RULES = { last: 'last-update-wins', first: 'first-update-wins', listed: ['west', 'east'] } as const;
const TABLES = Object.keys(RULES) as readonly (keyof typeof RULES)[];

/** Changed beside the rows in conflict, so that there are more than are looked at one by one. */
const FILLER = 300;

const SCHEMA = `
  create type mood as enum ('glad', 'sad');
  create type pair as (one integer, other text);
  ${TABLES.map(
    (name) =>
      `create table ${name} (id numeric, "Part" text, v text, n numeric, j json, m mood, p pair, x xml, c "char", secret text, primary key (id, "Part"));`,
  ).join('\n')}
`;

function seedOf(table: string): string {
  return `insert into ${table} select g, 'of ' || g % 3, 'old', 1, '{"a": 1}', 'glad', row(g, 'x')::pair, '<a/>', 'c', 'secret' from generate_series(1, 60) as g where g % 20 not in (5, 6);
    insert into ${table} select g, '', 'filler' from generate_series(1001, 1000 + ${FILLER}) as g;`;
}

/** By the key's rest: what one member does, and what the other one does. Some of it comes to the same row, some differs in its spelling alone. */
const CHANGES: readonly (readonly [rest: number, east: string, west: string])[] = [
  [0, "update TABLE set v = 'east'", "update TABLE set v = 'west'"],
  [1, "update TABLE set v = 'same'", "update TABLE set v = 'same'"],
  [2, "update TABLE set v = 'east'", 'delete from TABLE'],
  [3, 'delete from TABLE', "update TABLE set v = 'west'"],
  [4, 'delete from TABLE', 'delete from TABLE'],
  [7, "update TABLE set n = 1.0, v = 'same'", "update TABLE set n = 1.00, v = 'same'"],
  [8, 'update TABLE set v = null', "update TABLE set v = 'NULL'"],
  [9, 'update TABLE set v = null, p = row(null, null)::pair', 'update TABLE set v = null, p = null'],
  [10, "update TABLE set v = 'same', p = row(null, null)::pair, m = null", "update TABLE set v = 'same', p = row(null, null)::pair, m = null"],
  [11, 'update TABLE set id = id::numeric(20, 2)', "update TABLE set v = 'west'"],
  [12, "update TABLE set v = 'only east'", 'select 1 from TABLE'],
  [13, 'select 1 from TABLE', "update TABLE set v = 'only west'"],
  [14, `update TABLE set j = '{"a":1}', m = 'sad'`, `update TABLE set j = '{"a": 1}', m = 'sad'`],
  [15, `update TABLE set x = '<?xml version="1.0"?><a/>'`, "update TABLE set x = '<a></a>'"],
  [16, `update TABLE set v = E'a\\tb\\\\n"c', secret = 'east'`, "update TABLE set v = '', secret = 'west'"],
  [17, `update TABLE set id = id + 10000`, "update TABLE set v = 'west'"],
  [18, "update TABLE set c = '\\303'", "update TABLE set c = ''"],
];

function changesOf(table: string, side: 1 | 2): string {
  const changed = CHANGES.map((change) => `${(change[side] ?? '').replace('TABLE', table)} where id < 1000 and id % 20 = ${change[0]};`);
  const [same, own] = ["'same'", side === 1 ? "'east'" : "'west'"];
  const inserted = [
    `insert into ${table} (id, "Part", v) select g, 'new', ${own} from generate_series(5, 60, 20) as g;`,
    `insert into ${table} (id, "Part", v) select g, 'new', ${same} from generate_series(6, 60, 20) as g;`,
    `delete from ${table} where id % 20 = 19;`,
    side === 1 ? `insert into ${table} (id, "Part", v) select g, 'of ' || g % 3, 'again' from generate_series(19, 60, 20) as g;` : '',
  ];
  return [...changed, ...inserted].join('\n');
}

/** Times that have nothing to do with who was first, and now and then are the same. */
function timesOf(table: string, side: 1 | 2): string {
  return `update sarrio.delta_public_${table} set change_at = '2026-01-01 00:00:00.123456+00'::timestamptz
    + (hashtextextended(concat(trim_scale(id), "Part"), ${side}) % 3) * interval '1 second 1 microsecond' where id < 20000;`;
}

type Outcome = { readonly rows: readonly string[]; readonly records: readonly (readonly unknown[])[] };

/** The same changes, looked at one by one or, with more beside them, decided by statements. */
async function outcomeOf(isMany: boolean): Promise<Readonly<Record<string, Outcome>>> {
  const tables = TABLES.map((name) => ({ table: `public.${name}` as const, onConflict: RULES[name], mask: ['secret'] }));
  const between = await masters(SCHEMA, { sync: { tables }, seed: TABLES.map(seedOf).join('\n'), compared: TABLES.map((name) => `public.${name}`) });
  for (const side of [1, 2] as const) {
    const member = at(between.members, side - 1);
    for (const name of TABLES) await member.script(`begin; ${changesOf(name, side)} commit; ${timesOf(name, side)}`);
    if (isMany && side === 1) for (const name of TABLES) await member.script(`update ${name} set v = 'more' where v = 'filler'`);
  }
  expect(await decidedInPlace(between)).toBe(isMany);
  await between.settles();
  const outcomes: Record<string, Outcome> = {};
  for (const name of TABLES) {
    const [records, others] = await Promise.all(between.members.map((member) => recordsOf(member, name)));
    expect(records).toEqual(others);
    const rows = (await rowsOf(at(between.members, 0), name)).filter((row) => !row.includes('filler') && !row.includes('more'));
    outcomes[name] = { rows, records: (records ?? []).map(({ id: _, ...record }) => Object.values(record)) };
  }
  return outcomes;
}

/** Works until all is settled, and says whether there was a table for decided keys. */
async function decidedInPlace({ members, project }: Masters): Promise<boolean> {
  const found = { tables: 0 };
  const failpoint: Failpoint = async (name) => {
    if (name !== 'masters.after-commit') return;
    found.tables += (await at(members, 0).query("select from pg_class where relname like 'decided\\_%'")).length;
  };
  await catchUp(project, failpoint);
  return found.tables > 0;
}

function recordsOf(member: TestDatabase, table: string): Promise<readonly Record<string, unknown>[]> {
  return member.query(
    'select id::text, sync, relation, key, kind, strategy, decision, versions from sarrio.conflict where relation = $1 order by key::text, kind',
    [`public.${table}`],
  );
}

test('many conflicts are decided and recorded as few are, by every rule that takes one version', async () => {
  const [few, many] = [await outcomeOf(false), await outcomeOf(true)];
  expect(many).toEqual(few);
  for (const { records } of Object.values(few)) expect(records.length).toBeGreaterThan(30);
});

const MANY = 500;

test.each([
  ['the first', 0],
  ['the second', 1],
])('the commit of %s member is lost: what the other one has decided counts, and is decided once', async (_, lost) => {
  const between = await masters('create table t (id integer primary key, v text);', {
    seed: `insert into t select g, 'old' from generate_series(1, ${MANY}) as g`,
  });
  const [east, west] = [at(between.members, 0), at(between.members, 1)];
  await east.script("update t set v = 'east'");
  await west.script("update t set v = 'west' where id % 2 = 0; delete from t where id % 2 = 1");
  const state = { lost: false };
  await catchUp(between.project, async (name) => {
    if (name !== 'masters.before-commit' || state.lost) return;
    state.lost = true;
    await at(between.members, lost).query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'sarrio target' and datname = current_database()",
    );
  });
  const rows = await between.rows();
  expect(rows.length).toBe(MANY / 2);
  expect(rows.every((row) => row.endsWith(',west)'))).toBe(true);
  expect((await between.conflicts()).length).toBe(MANY);
});

test('who else reads a member hears of what was decided there, and of the rest', async () => {
  const databases = { east: await freshDatabase('east'), west: await freshDatabase('west'), far: await freshDatabase('far') };
  const list = Object.values(databases);
  await onAll(list, 'create table t (id integer primary key, v text);');
  const project = await installation({
    databases,
    syncs: {
      m: { mode: 'multi-master', members: ['east', 'west'], tables: ['public.t'], onConflict: 'last-update-wins' },
      out: { mode: 'one-way', source: 'east', targets: ['far'], tables: ['public.t'] },
    },
  });
  expect((await project.apply()).diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  await catchUp(project);
  await databases.east.script(`insert into t select g, 'old' from generate_series(1, ${MANY}) as g`);
  await catchUp(project);
  await databases.east.script("update t set v = 'east' where id <= 300");
  await databases.west.script("update t set v = 'west' where id > 100");
  await catchUp(project);
  await catchUp(project);
  await expectAlike(list, ['public.t']);
  expect((await rowsOf(databases.far)).filter((row) => row.endsWith(',west)')).length).toBe(MANY - 100);
});
