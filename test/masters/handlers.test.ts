import { appendFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { verb as run } from '../../src/commands/run.ts';
import { onAll } from '../support/follow.ts';
import { type Handled, handled } from '../support/handled.ts';
import { at, rowsOf } from '../support/masters.ts';

/** By table, what its handler does with one row that was changed on both sides in different ways. */
const HANDLERS = {
  merged: "(conflict) => merge({ v: conflict.versions.map(({ database }) => database).join('+'), n: conflict.version('east')?.row?.['n'] ?? null })",
  taken: "() => take('east')",
  removed: '() => remove()',
  thrown: "() => { throw new Error('cannot decide'); }",
  endless: '() => { for (;;) {} }',
  /** Of many rows it says something of its own about each. */
  many: `(conflict) => {
    const kind = Number(conflict.key['id']) % 5;
    if (kind === 0) return take('east');
    if (kind === 1) return take('west');
    if (kind === 2) return merge({ v: conflict.versions.map(({ operation, row }) => operation + String(row?.['v'] ?? '')).join('+') });
    return kind === 3 ? remove() : skip();
  }`,
} as const;

const TABLES = Object.keys(HANDLERS) as readonly (keyof typeof HANDLERS)[];
const FAILING = ['thrown', 'endless'] as const;
const MANY = 600;
const DELETED = 590;

const SCHEMA = TABLES.map((name) => `create table ${name} (id integer primary key, v text, n bigint, at timestamptz);`).join('\n');
const SEED = TABLES.map((name) =>
  name === 'many'
    ? `insert into many select g, 'old' from generate_series(1, ${MANY}) as g;`
    : `insert into ${name} values (1, 'old', 9007199254740993, '2026-01-01 00:00:00.000001+00');`,
).join('\n');

/** Two masters, each table's rows changed on both sides. */
async function changedOnBoth(): Promise<Handled> {
  const tables = Object.fromEntries(Object.entries(HANDLERS).map(([name, handler]) => [name, `onConflict: ${handler}`]));
  const project = await handled(SCHEMA, { tables, count: 2, seed: SEED });
  const [east, west] = [at(project.members, 0), at(project.members, 1)];
  const single = TABLES.filter((name) => name !== 'many');
  await east.script(single.map((name) => `update ${name} set v = 'east', n = n + 1;`).join('\n'));
  await west.script(single.map((name) => `update ${name} set v = 'west', at = at + interval '1 microsecond';`).join('\n'));
  await east.script("update many set v = 'east'");
  await west.script(`update many set v = 'west' where id <= ${DELETED}; delete from many where id > ${DELETED}`);
  return project;
}

async function atBoth({ members }: Handled, table: string): Promise<readonly (readonly string[])[]> {
  return [await rowsOf(at(members, 0), table), await rowsOf(at(members, 1), table)];
}

/** As each member has to hold them once the handler has spoken. */
function manyRows(side: 'east' | 'west'): readonly string[] {
  const rows = Array.from({ length: MANY }, (_, index) => index + 1).flatMap((id) => {
    const isGone = id > DELETED;
    const mine = isGone && side === 'west' ? [] : [`(${id},${side},,)`];
    const merged = `(${id},${isGone ? 'updateeast+delete' : 'updateeast+updatewest'},,)`;
    return [[`(${id},east,,)`], isGone ? [] : [`(${id},west,,)`], [merged], [], mine][id % 5] ?? [];
  });
  return [...rows].sort();
}

async function expectManyDecided(project: Handled): Promise<void> {
  expect(await atBoth(project, 'many')).toEqual([manyRows('east'), manyRows('west')]);
  const records = "select id::text, key, kind, strategy, decision, versions from sarrio.conflict where relation = 'public.many' order by id";
  const [one, other] = [await at(project.members, 0).query(records), await at(project.members, 1).query(records)];
  expect(one).toEqual(other);
  const decisions = new Map<unknown, number>();
  for (const { decision } of one) decisions.set(decision, (decisions.get(decision) ?? 0) + 1);
  expect([...decisions].sort()).toEqual(['merge', 'remove', 'skip', 'take east', 'take west'].map((each) => [each, MANY / 5]));
}

test('what handlers say of few and of many conflicts counts at both, once; one that throws and one that never ends stop their tables alone; an edited file is not run', {
  timeout: 120_000,
}, async () => {
  const project = await changedOnBoth();
  const before = await Promise.all(FAILING.map((table) => atBoth(project, table)));
  const stopped = await project.verb(run, '--until-caught-up');
  expect(stopped.exit).toBe('refused');
  const told = stopped.diagnostics.map(({ code, message }) => `${code} ${message}`).join('\n');
  for (const table of FAILING) expect(told).toMatch(new RegExp(`SAR622 .*handler of public.${table}, key id = 1`));
  expect(await Promise.all(FAILING.map((table) => atBoth(project, table)))).toEqual(before);

  // No digit of a bigint and no microsecond of a time is lost.
  const merged = '(1,east+west,9007199254740994,"2026-01-01 00:00:00.000002+00")';
  expect(await atBoth(project, 'merged')).toEqual([[merged], [merged]]);
  const taken = '(1,east,9007199254740994,"2026-01-01 00:00:00.000001+00")';
  expect(await atBoth(project, 'taken')).toEqual([[taken], [taken]]);
  expect(await atBoth(project, 'removed')).toEqual([[], []]);
  await expectManyDecided(project);

  // Rows that were made equal need no handler; what was skipped is nobody's loss: the next change of it comes.
  await onAll(project.members, FAILING.map((table) => `delete from ${table};`).join('\n'));
  await at(project.members, 1).script("update many set v = 'later' where id = 4");
  expect(await project.verb(run, '--until-caught-up')).toMatchObject({ exit: 'ok' });
  expect((await rowsOf(at(project.members, 0), 'many')).filter((row) => row.startsWith('(4,'))).toEqual(['(4,later,,)']);

  const [file] = await readdir(join(project.generated, 'handlers'));
  await appendFile(join(project.generated, 'handlers', file ?? ''), '\n// looks harmless\n');
  const refused = await project.verb(run, '--until-caught-up');
  expect([refused.exit, refused.diagnostics.map(({ code }) => code)]).toEqual(['invalid', ['SAR307']]);
});
