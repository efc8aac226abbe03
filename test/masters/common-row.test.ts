import { expect, test } from 'vitest';
import { verb as run } from '../../src/commands/run.ts';
import { startSarrio } from '../support/cli.ts';
import { handled } from '../support/handled.ts';
import { at, expectAlike } from '../support/masters.ts';
import { waitUntil } from '../support/wait.ts';

const SCHEMA = `
  create table t (id integer primary key, big bigint, num numeric, ts timestamptz, f double precision, txt text, none text, note text);
  create table merged (id integer primary key, a text, b text, n integer not null default 0);
  create table plain (id integer primary key, v text);
`;

/** Writes down what it is told, in the row itself. */
const TELLS = '({ common, latest }) => (latest.row ? merge({ note: JSON.stringify(common && { ...common, note: null }) }) : remove())';

/** What only one side has changed is as that side has it; numbers add up. */
const THREE_WAY = `({ common, versions, latest }) => {
  const [one, other] = versions.map(({ row }) => row);
  if (!common || !one || !other) return take(latest.database);
  return merge({
    a: one.a === common.a ? other.a : one.a,
    b: one.b === common.b ? other.b : one.b,
    n: one.n + other.n - common.n,
  });
}`;

const TABLES = { t: `onConflict: ${TELLS}`, merged: `onConflict: ${THREE_WAY}` };
const TEXT = 'a "quoted", (one) \\\\ with\nmore';

test('the last common row, to the last digit, whatever the session that changed it; null where there was none or nobody knows', {
  timeout: 120_000,
}, async () => {
  const row = `9007199254740993, 1.50, '2026-01-02 03:04:05.123456+00', 0.1, $$${TEXT}$$, null, null`;
  const seed = `insert into t select g, ${row} from generate_series(1, 6) as g; insert into merged values (1, 'a', 'b', 10); insert into plain values (1, 'x')`;
  const { members, verb } = await handled(SCHEMA, { tables: TABLES, seed });
  const [east, west, north] = [at(members, 0), at(members, 1), at(members, 2)];
  // In one session each, with what would change how values are written.
  await east.script(`
    set datestyle = 'German, DMY'; set timezone = 'Asia/Tokyo'; set extra_float_digits = -6; set intervalstyle = 'sql_standard';
    update t set txt = 'x1', ts = now() where id in (1, 2, 6);
    update t set txt = 'x2', num = 7 where id = 1;
    update t set id = 60 where id = 5;
    delete from t where id = 3;
    insert into t (id, txt) values (7, 'here');
    update merged set a = 'a east', n = n + 1;
    update merged set n = n + 1;
  `);
  await west.script(`
    update t set big = 5 where id in (1, 2, 3, 5); insert into t (id, txt) values (7, 'there'), (60, 'new');
    update merged set b = 'b west', n = n + 5;
  `);
  expect((await verb(run, '--until-caught-up')).exit).toBe('ok');
  await expectAlike(members, ['public.t', 'public.merged']);
  const told = async (id: number): Promise<unknown> => {
    const [found] = await north.query<{ note: string | null }>(`select note from t where id = ${id}`);
    return JSON.parse(found?.note ?? '"no row"');
  };
  const seeded = (id: number) => ({ id, big: '9007199254740993', num: '1.50', ts: '2026-01-02 03:04:05.123456+00', f: 0.1, txt: TEXT, none: null, note: null });
  expect([await told(1), await told(2), await told(3), await told(5)]).toEqual([1, 2, 3, 5].map(seeded));
  // Inserted at both, and by a change of the key at one.
  expect([await told(7), await told(60)]).toEqual([null, null]);
  expect(await north.query('select a, b, n from merged')).toEqual([{ a: 'a east', b: 'b west', n: 17 }]);

  // What was decided is common now; so is what came from a third one.
  await north.script("update t set txt = 'of north' where id = 6; update merged set a = 'a north'");
  expect((await verb(run, '--until-caught-up')).exit).toBe('ok');
  await east.script('update t set big = 1 where id in (1, 6); update merged set n = n - 7');
  await west.script("update t set num = 2 where id in (1, 6); update merged set b = 'b again', n = n + 2");
  expect((await verb(run, '--until-caught-up')).exit).toBe('ok');
  expect(await told(1)).toMatchObject({ id: 1, big: '5', txt: TEXT, num: '1.50' });
  expect(await told(6)).toMatchObject({ id: 6, txt: 'of north', big: '9007199254740993' });
  expect(await north.query('select a, b, n from merged')).toEqual([{ a: 'a north', b: 'b again', n: 12 }]);

  // A TRUNCATE keeps no rows.
  await east.script("truncate t; insert into t (id, txt) values (1, 'again')");
  await west.script("update t set txt = 'still' where id = 1");
  expect((await verb(run, '--until-caught-up')).exit).toBe('ok');
  await expectAlike(members, ['public.t', 'public.merged']);
  expect(await told(1)).toBeNull();
  // Only tables whose handler asks pay for it.
  const kept = await east.query<{ relation: string }>(
    "select attrelid::regclass::text as relation from pg_attribute where attname = 'change_before' and attrelid::regclass::text like '%delta%' order by 1",
  );
  expect(kept.map(({ relation }) => relation)).toEqual(['sarrio.delta_public_merged', 'sarrio.delta_public_t']);
});

test('sums that three-way merges make are right, wherever the runner is killed', { timeout: 120_000 }, async () => {
  const { members, generated, env, verb } = await handled(SCHEMA, { tables: TABLES, count: 2, seed: "insert into merged values (1, 'a', 'b', 0)" });
  const points = ['masters.before-apply', 'masters.before-commit', 'masters.commit-sent', 'masters.after-commit'];
  for (const [index, point] of points.entries()) {
    // Rows that are the same would be no conflict.
    for (const [place, member] of members.entries())
      await member.script(`update merged set n = n + ${place + 1}; update merged set n = n + ${(place + 1) * 10 ** (index + 1)}`);
    const running = startSarrio(['run', '--generated', generated], { env: { ...env, SARRIO_FAILPOINT: `${point}=kill` } });
    await waitUntil(`the runner is killed at ${point}`, () => running.ended.then(() => true), { timeoutMs: 30_000 });
  }
  expect((await verb(run, '--until-caught-up')).exit).toBe('ok');
  await expectAlike(members, ['public.merged']);
  const [{ n } = { n: 0 }] = await at(members, 0).query<{ n: number }>('select n from merged');
  // Where one of two commits was lost, nobody may know the common row; then one side's changes are overruled as a whole, and never counted twice.
  const records = await at(members, 0).query<{ decision: string }>('select decision from sarrio.conflict');
  expect(records.length).toBeGreaterThan(0);
  const isKnown = records.every(({ decision }) => decision === 'merge');
  if (isKnown) expect(n).toBe(3 * (4 + 10 + 100 + 1_000 + 10_000));
  else expect(n).toBeLessThan(3 * (4 + 10 + 100 + 1_000 + 10_000));
});
