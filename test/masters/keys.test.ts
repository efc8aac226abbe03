import { expect, test } from 'vitest';
import { at, masters } from '../support/masters.ts';

/** East and west each insert a row under their own spelling of a key, and one that the other does not have. */
const SPELLED: readonly (readonly [type: string, east: string, west: string])[] = [
  ['integer', '1', '1'],
  ['uuid', "'00000000-0000-0000-0000-00000000000A'", "'00000000-0000-0000-0000-00000000000a'"],
  ['timestamptz', "'2026-01-01 12:00+00'", "'2026-01-01 13:00+01'"],
  ['numeric', '1.0', '1.00'],
  ['interval', "'1 day'", "'24 hours'"],
];
const OTHERS: Readonly<Record<string, readonly [string, string]>> = {
  integer: ['2', '3'],
  uuid: ['gen_random_uuid()', 'gen_random_uuid()'],
  timestamptz: ["'2026-01-02'", "'2026-01-03'"],
  numeric: ['2', '3'],
  interval: ["'2 days'", "'3 days'"],
};

test.each(SPELLED)('few keys of two masters are the same where the database says so: %s', { timeout: 60_000 }, async (type, east, west) => {
  const [one, other] = OTHERS[type] ?? ['', ''];
  for (const count of [2, 3]) {
    const between = await masters(`create table t (id ${type}, part integer, v text, primary key (id, part));`, { count });
    await at(between.members, 0).script(`insert into t values (${east}, 1, 'east'), (${east}, 2, 'only east'), (${one}, 1, 'east')`);
    await at(between.members, 1).script(`insert into t values (${west}, 1, 'west'), (${west}, 12, 'only west'), (${other}, 1, 'west')`);
    expect(await between.rows()).toHaveLength(5);
    expect(await between.conflicts()).toEqual(['insert/insert take west']);
  }
});
