import { expect, test } from 'vitest';
import { joinsFor } from '../../src/runner/8-round/source.sql.ts';
import { connect } from '../../src/runner/postgres/session.ts';
import { freshDatabase } from '../support/databases.ts';

test('few changes beside their table are looked up by key, whatever kind of table it is', async () => {
  const source = await freshDatabase();
  await source.script(`
    create table plain (id integer primary key);
    create table fresh (id integer primary key);
    create table parted (id integer primary key) partition by range (id);
    create table part1 partition of parted for values from (0) to (5001);
    create table part2 partition of parted for values from (5001) to (20000);
    insert into plain select generate_series(1, 10000);
    insert into parted select generate_series(1, 10000);
    analyze plain, parted;
    alter table fresh set (autovacuum_enabled = false);
    insert into fresh select generate_series(1, 10000);
  `);
  const session = await connect({ database: 'source', url: source.url, variable: 'SOURCE_URL', role: 'source' });
  const chosen = async (name: string, entries: number | 'all'): Promise<string> => {
    const [answer] = await session.batch([joinsFor({ schema: 'public', name }, entries)]);
    return answer?.lists[0]?.slice(0, 3).join(' ') ?? '';
  };
  for (const table of ['plain', 'parted', 'fresh']) {
    expect([table, await chosen(table, 40), await chosen(table, 4_000), await chosen(table, 'all')]).toEqual([table, 'off off off', 'on on on', 'on on on']);
  }
  // Half of the rows are in a partition.
  expect([await chosen('part1', 90), await chosen('part1', 110)]).toEqual(['off off off', 'on on on']);
  await session.close();
});
