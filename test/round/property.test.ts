import fc from 'fast-check';
import { expect, test } from 'vitest';
import { differingRows } from '../support/compare.ts';
import { catchUp } from '../support/follow.ts';
import { replicated } from '../support/runner.ts';

const RUNS = 30;
const KEYS = 12;

const key = fc.integer({ min: 1, max: KEYS });
const value = fc.constantFrom('null', "''", "'x'", "'é\"\\,{}'", "'9007199254740993.10'");
const rows = fc.constantFrom(3, 300);

/** One statement over t (id, code unique deferrable, n, v) or its neighbour u (partitioned by id). Those that violate a key are skipped by `tried`. */
const statement = fc.oneof(
  fc.tuple(key, key, value).map(([id, code, v]) => `insert into t values (${id}, ${code}, ${id}, ${v})`),
  fc
    .tuple(key, rows, value)
    .map(([from, count, v]) => `insert into t select ${from} * 1000 + g, ${from} * 1000 + g, g, ${v} from generate_series(1, ${count}) g`),
  fc.tuple(key, value).map(([id, v]) => `update t set v = ${v}, n = n + 0.1 where id % ${KEYS} >= ${id}`),
  fc.tuple(key).map(([id]) => `update t set id = id + 1 where id >= ${id}`),
  fc.tuple(key, key).map(([a, b]) => `update t set code = ${a} + ${b} - code where code in (${a}, ${b})`),
  fc.tuple(key, key).map(([a, b]) => `update t set id = ${a} + ${b} - id where id in (${a}, ${b})`),
  fc.tuple(key).map(([id]) => `delete from t where id % ${KEYS} = ${id}`),
  fc.constant('truncate t'),
  fc.tuple(key, value).map(([id, v]) => `insert into u values (${id}, ${v}) on conflict (id) do update set v = excluded.v || 'again'`),
  fc.tuple(key, key).map(([a, b]) => `update u set id = ${b} where id = ${a}`),
  fc.tuple(key).map(([id]) => `delete from u where id > ${id}`),
  fc.constantFrom('truncate u1', 'truncate u'),
);

const tried = (text: string): string =>
  `do $$ begin ${text}; set constraints all immediate; exception when unique_violation or check_violation then null; end $$`;
const transaction = fc
  .record({ statements: fc.array(statement, { minLength: 1, maxLength: 4 }), end: fc.constantFrom('commit', 'commit', 'commit', 'rollback') })
  .map(({ statements, end }) => `begin; set constraints all deferred; ${statements.map(tried).join('; ')}; ${end}`);
const rounds = fc.array(fc.array(transaction, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 });

test('whatever the statements, the target has the rows of its source', { timeout: 120_000 }, async () => {
  const t = 'create table t (id integer primary key deferrable, code integer unique deferrable, n numeric, v text);';
  const u = 'create table u (id integer primary key, v text)';
  const { source, target, project } = await replicated(
    `${t} ${u} partition by range (id); create table u1 partition of u for values from (1) to (6); create table u2 partition of u default;`,
    { tables: ['public.t', 'public.u'], targetSchema: `${t.replaceAll(' deferrable', '')} ${u};` },
  );
  const property = fc.asyncProperty(rounds, async (all) => {
    await source.script('truncate t, u');
    for (const transactions of all) {
      for (const text of transactions) await source.script(text);
      await catchUp(project);
      expect(await differingRows(source, target, 'public.t', 'public.u')).toEqual([]);
    }
  });
  const seed = Number(process.env['SARRIO_TEST_SEED'] ?? Date.now() % 1_000_000);
  // A failure names the seed and the statements.
  await fc.assert(property, { numRuns: RUNS, seed, endOnFailure: true, interruptAfterTimeLimit: 40_000 });
});
