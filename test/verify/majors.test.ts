import { expect, onTestFinished, test } from 'vitest';
import type { Major } from '../support/binaries.ts';
import { differingRows } from '../support/compare.ts';
import type { TestDatabase } from '../support/database.ts';
import { catchUp } from '../support/follow.ts';
import { installation } from '../support/installation.ts';
import { startServer } from '../support/server.ts';
import { found, verified } from '../support/verified.ts';

const COLUMNS: Readonly<Record<string, string>> = {
  n: 'numeric',
  f: 'double precision',
  r: 'real',
  s: '"char"',
  c: 'character(7)',
  b: 'bytea',
  j: 'jsonb',
  ts: 'timestamptz',
  d: 'interval',
  a: 'text[]',
  g: 'int4range',
  m: 'nummultirange',
  p: 'point',
  i: 'inet',
  v: 'tsvector',
  u: 'uuid',
};
const TABLE = `create table t (id numeric, k text, ${Object.entries(COLUMNS)
  .map(([name, type]) => `${name} ${type}`)
  .join(', ')}, primary key (id, k))`;
/** "char" beyond ASCII reads differently on 14 and on 17. */
const ROWS = `select x + 0.50, 'key ' || x, x * 1.10, x / 3.0, x / 7.0, (x % 256 - 128)::"char", 'c' || x % 7, decode(md5(x::text), 'hex'),
  jsonb_build_object('x', x, 'y', x * 1.50), timestamptz '2026-03-29 00:59:59.999999+00' + x * interval '1 hour', make_interval(mins => x), array['a', null, x::text],
  int4range(x, x + 3), nummultirange(numrange(x, x + 1.5)), point(x / 3.0, -0.0), ('10.0.0.' || x % 256)::inet, to_tsvector('simple', 'word ' || x), md5(x::text)::uuid
  from generate_series(1, 2000) x`;

async function databaseOf(major: Major): Promise<TestDatabase> {
  const server = await startServer({ major, durable: false });
  onTestFinished(() => server.dispose());
  const database = await server.createDatabase();
  await database.script(TABLE);
  onTestFinished(() => database.close());
  return database;
}

test.each([
  [14, 17],
  [18, 14],
] as const)('from PostgreSQL %i to %i equal rows are equal, and a difference is found and repaired', async (from, to) => {
  const [source, target] = [await databaseOf(from), await databaseOf(to)];
  const project = await installation({
    databases: { source, target },
    syncs: { s: { mode: 'one-way', source: 'source', targets: ['target'], tables: ['public.*'] } },
  });
  expect((await project.apply()).diagnostics).toEqual([]);
  await source.query(`insert into t ${ROWS}`);
  await catchUp(project);
  expect(await verified(project)).toMatchObject({ exit: 'ok', tables: [{ state: 'equal', rows: { source: 2000, target: 2000 } }] });
  await target.script(`update t set s = 'x' where id = 5.5; update t set f = f + 1e-13, n = n + 0.000 where id = 7.5; delete from t where id = 9.5;
    insert into t (id, k) values (-1, 'stray'); update t set id = 11.500 where id = 11.5`);
  const result = await verified(project);
  expect(found(result)).toEqual([
    'extra id=-1 k=stray',
    'different id=5.50 k=key 5: s',
    'different id=7.50 k=key 7: n, f',
    'missing id=9.50 k=key 9',
    'different id=11.50 k=key 11: id',
  ]);
  expect((await verified(project, '--repair', '--yes')).exit).toBe('ok');
  expect((await verified(project)).exit).toBe('ok');
  const comparable = ['id', 'k', ...Object.keys(COLUMNS)].filter((name) => name !== 's').map((name) => [name, name] as const);
  expect(await differingRows(source, target, { source: 'public.t', columns: Object.fromEntries(comparable) })).toEqual([]);
});
