import { expect, test } from 'vitest';
import type { MergeRule } from '../../src/index.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { randomFrom, type Random } from '../simulation/random.ts';
import type { TestDatabase } from '../support/database.ts';
import { catchUp } from '../support/follow.ts';
import type { Installation } from '../support/installation.ts';
import { at, masters, type Masters, rowsOf } from '../support/masters.ts';

const RULES = {
  by_column: { columns: 'merge', otherwise: 'last-update-wins' },
  counted: { counters: ['n', 'd'], otherwise: ['west', 'east'] },
  counted_by_column: { counters: ['n', 'd'], columns: 'merge', otherwise: 'first-update-wins' },
} as const satisfies Readonly<Record<string, MergeRule>>;
const TABLES = Object.keys(RULES) as readonly (keyof typeof RULES)[];
const KEYS = 240;
const SEEDED = 210;

const SCHEMA = `
  create type mood as enum ('glad', 'sad');
  create type pair as (one integer, other text);
  ${TABLES.map(
    (name) => `create table ${name} (id numeric, "Part" text, a text, b numeric, n integer, d numeric, m mood, p pair, secret text, primary key (id, "Part"));`,
  ).join('\n')}
`;

const CHANGES = [
  ...[-2, -1, 0, 1, 2].map((by) => `update TABLE set n = n + ${by}`),
  ...['0.5', '-0.5', '0.50', '1e3'].map((by) => `update TABLE set d = d + ${by}`),
  ...["'x'", "'y'", 'null', "''"].map((value) => `update TABLE set a = ${value}`),
  ...['1', '1.0', '2'].map((value) => `update TABLE set b = ${value}`),
  ...["'east'", "'west'"].map((value) => `update TABLE set secret = ${value}`),
  ...['row(null, null)::pair', 'null', "row(1, 'x')::pair"].map((value) => `update TABLE set p = ${value}`),
  "update TABLE set m = 'sad', n = n + 1",
  "update TABLE set a = 'x', b = 2, n = 5",
  'update TABLE set n = null',
  "update TABLE set d = 'NaN'",
  'update TABLE set a = a',
  'delete from TABLE',
] as const;

const ADDED = `insert into TABLE (id, "Part", a, n, d) values (ID, 'p', 'new', 1, 1) on conflict do nothing`;

/** Of most keys a few changes, some of them in transactions of their own; the same for every run with this seed. */
function changesOf(table: string, random: Random): string {
  const statements: string[] = [];
  for (let id = 1; id <= KEYS; id += 1) {
    for (let left = random.below(4); left > 0; left -= 1) {
      const change = random.below(12) === 0 ? ADDED.replace('ID', String(id)) : `${at(CHANGES, random.below(CHANGES.length))} where id = ${id}`;
      statements.push(`${change.replace('TABLE', table)};`);
      if (random.below(3) === 0) statements.push('commit; begin;');
    }
  }
  return `begin; ${statements.join('\n')} commit;`;
}

/** Times that have nothing to do with who was first, and now and then are the same. */
function timesOf(table: string, side: number): string {
  return `update sarrio.delta_public_${table} set change_at = '2026-01-01 00:00:00.123456+00'::timestamptz
    + (hashtextextended(trim_scale(id)::text, ${side}) % 3) * interval '1 second 1 microsecond' where change_sync is null;`;
}

async function changeAll(member: TestDatabase, side: number, seed: number): Promise<void> {
  const random = randomFrom(seed);
  for (const table of TABLES) await member.script(`${changesOf(table, random)} ${timesOf(table, side)}`);
}

type Way = 'in place' | 'key by key';

/** The same plan, with one of the two ways of deciding many keys alone: the other one is not there, or fails. */
function byOneWay(project: Installation, way: Way): Installation {
  return {
    ...project,
    generated: async () => {
      const generated = await project.generated();
      return { ...generated, plan: withOneWay(generated.plan, way) };
    },
  };
}

function withOneWay(plan: Plan, way: Way): Plan {
  const { m } = plan.syncs;
  if (m?.mode !== 'multi-master') throw new Error('no sync m');
  const tables = m.tables.map((table) => {
    const { masters: statements } = table;
    const meet = { ...statements.meet, create: "select 'met key by key'::integer" };
    return { ...table, masters: way === 'in place' ? { ...statements, meet } : { ...statements, decide: null } };
  });
  return { ...plan, syncs: { m: { ...m, tables } } };
}

/** Changes on both sides, a round whose commit is lost at one of them, and more changes before the next one. */
async function outcomeOf(seed: number, way: Way) {
  const tables = TABLES.map((name) => ({ table: `public.${name}` as const, onConflict: RULES[name], mask: ['secret'] }));
  const compared = TABLES.map((name) => `public.${name}`);
  const filled = TABLES.map(
    (name) => `insert into ${name} select g, 'p', 'old', 1, g % 5, 1.5, 'glad', row(1, 'x')::pair, 's' from generate_series(1, ${SEEDED}) as g;`,
  );
  const between = await masters(SCHEMA, { sync: { tables }, seed: filled.join('\n'), compared });
  const state = { isLost: false, hasChanged: false };
  const changeBoth = async (from: number): Promise<void> => {
    for (const [side, member] of between.members.entries()) await changeAll(member, side, from + side);
  };
  await changeBoth(seed);
  await catchUp(byOneWay(between.project, way), async (name) => {
    if (name === 'masters.before-commit' && !state.isLost) {
      state.isLost = true;
      await at(between.members, seed % 2).query(LOSE_COMMIT);
    }
    if (name !== 'masters.after-commit' || state.hasChanged) return;
    state.hasChanged = true;
    await changeBoth(seed + 10);
  });
  await between.settles();
  return tablesOf(between);
}

const LOSE_COMMIT = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'sarrio target' and datname = current_database()";

async function tablesOf({ members }: Masters) {
  const outcomes: Record<string, { readonly rows: readonly string[]; readonly records: readonly unknown[] }> = {};
  for (const name of TABLES) {
    const found = await Promise.all(members.map((member) => recordsOf(member, name)));
    outcomes[name] = { rows: await rowsOf(at(members, 0), name), records: found };
  }
  return outcomes;
}

/** Without what is made up anew each time. */
async function recordsOf(member: TestDatabase, table: string): Promise<readonly unknown[]> {
  return member.query(
    `select sync, relation, key, kind, strategy, decision, versions from sarrio.conflict where relation = $1
     order by key::text, kind, decision, versions::text`,
    [`public.${table}`],
  );
}

test('many conflicts are merged where they stand as they are key by key', async () => {
  const seed = 7;
  const [inPlace, each] = [await outcomeOf(seed, 'in place'), await outcomeOf(seed, 'key by key')];
  expect(inPlace).toEqual(each);
  for (const { records } of Object.values(inPlace)) expect((records as readonly (readonly unknown[])[])[0]?.length).toBeGreaterThan(100);
});

test('a sum that its column cannot hold stops the table alone, and goes through once it fits', async () => {
  const between = await masters('create table t (id integer primary key, n smallint not null); create table u (id integer primary key);', {
    seed: 'insert into t select g, 0 from generate_series(1, 1100) as g',
    sync: { tables: [{ table: 'public.t', onConflict: { counters: ['n'], otherwise: 'last-update-wins' } }, 'public.u'] },
    compared: ['public.t', 'public.u'],
  });
  const [east, west] = [at(between.members, 0), at(between.members, 1)];
  for (const member of between.members) await member.script('update t set n = n + case id when 1 then 30000 else 1 end');
  await east.script('insert into u values (1)');
  await expect(catchUp(between.project)).rejects.toThrow(/out of range for type smallint/);
  expect(await rowsOf(west, 'u')).toEqual(['(1)']);
  await west.script('update t set n = 0 where id = 1');
  await between.settles();
  expect(await west.query('select n, count(*)::integer as rows from t group by n order by n')).toEqual([
    { n: 2, rows: 1099 },
    { n: 30000, rows: 1 },
  ]);
});
