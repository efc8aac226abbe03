import { expect, test } from 'vitest';
import { freshDatabase } from '../support/databases.ts';
import { catchUp } from '../support/follow.ts';
import { installation } from '../support/installation.ts';

/** As the predecessor's tests have them: three sequences, one in mixed case, and targets that get what the source has given. */
const SCHEMA = `
  create sequence bucardo_test_seq1;
  create sequence bucardo_test_seq2;
  create sequence "Bucardo_test_seq3" increment by 3;
  create table one (id integer primary key default nextval('bucardo_test_seq1'));
  create table two (id integer primary key default nextval('bucardo_test_seq2'));
  create table three (id integer primary key default nextval('"Bucardo_test_seq3"'));
`;

test('sequences that were set and drawn from at the source are ahead at two targets, and are never set back there', { timeout: 60_000 }, async () => {
  const [a, b, c] = [await freshDatabase('a'), await freshDatabase('b'), await freshDatabase('c')];
  for (const database of [a, b, c]) await database.script(SCHEMA);
  const project = await installation({
    databases: { a, b, c },
    syncs: { s: { mode: 'one-way', source: 'a', targets: ['b', 'c'], tables: ['public.*'], sequences: { carry: { margin: 10 } } } },
  });
  expect((await project.apply()).diagnostics).toEqual([]);
  await a.script(`select setval('bucardo_test_seq1', 42), setval('bucardo_test_seq2', 123, false), setval('"Bucardo_test_seq3"', 12345)`);
  // The third one has gone on by itself at a target: it stays there.
  await c.script(`select setval('"Bucardo_test_seq3"', 99999)`);
  await catchUp(project);
  const next = "select nextval('bucardo_test_seq1')::int as one, nextval('bucardo_test_seq2')::int as two, nextval('\"Bucardo_test_seq3\"')::int as three";
  expect(await b.query(next)).toEqual([{ one: 53, two: 133, three: 12_378 }]);
  expect(await c.query(next)).toEqual([{ one: 53, two: 133, three: 100_002 }]);
  // Drawing alone changes no row; it is carried all the same.
  await a.script("select nextval('bucardo_test_seq1') from generate_series(1, 100)");
  await catchUp(project);
  expect(await b.query("select nextval('bucardo_test_seq1')::int as one")).toEqual([{ one: 153 }]);
});
