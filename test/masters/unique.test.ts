import { describe, expect, test } from 'vitest';
import type { MultiMasterSync } from '../../src/index.ts';
import { verb as conflictsVerb } from '../../src/commands/conflicts.ts';
import { retryParked } from '../../src/runner/8-round/conflicts/parked.ts';
import { connect } from '../../src/runner/postgres/session.ts';
import { startSarrio } from '../support/cli.ts';
import type { TestDatabase } from '../support/database.ts';
import { catchUp } from '../support/follow.ts';
import { at, expectAlike, type Masters, masters } from '../support/masters.ts';
import { runVerb } from '../support/run-verb.ts';

const T = 'create table t (id integer primary key, email text unique, v text);';

/** What has no exit code was ended by a signal. */
const KILLED = -1;

async function pair(onUnique: NonNullable<MultiMasterSync['onUnique']>, more: { count?: number; schema?: string; seed?: string } = {}): Promise<Masters> {
  const { count = 2, schema = T, seed = '' } = more;
  return masters(schema, { count, seed, sync: { onUnique } });
}

async function parkedAt(database: TestDatabase): Promise<readonly string[]> {
  const rows = await database.query<{ parked: string }>(
    "select concat(key, ' ', row ->> 'v', ' ', error_code) as parked from sarrio.parked order by key::text",
  );
  return rows.map(({ parked }) => parked);
}

describe('the same unique value under different keys', () => {
  test.each([
    ['keep-earliest', ['(1,a@b,east)'], ['{"id": "2"} west 23505']],
    ['keep-latest', ['(2,a@b,west)'], ['{"id": "1"} east 23505']],
    [['west', 'east'], ['(2,a@b,west)'], ['{"id": "1"} east 23505']],
    ['park', [], ['{"id": "1"} east 23505', '{"id": "2"} west 23505']],
  ] as const)('inserted on two sides: %j', async (onUnique, stay, parked) => {
    const { members, project, rows, conflicts } = await pair(onUnique);
    const [east, west] = [at(members, 0), at(members, 1)];
    await east.script("insert into t values (1, 'a@b', 'east')");
    await west.script("insert into t values (2, 'a@b', 'west')");
    expect(await rows()).toEqual(stay);
    for (const member of members) expect(await parkedAt(member)).toEqual(parked);
    expect((await conflicts()).length).toBe(parked.length);
    expect((await catchUp(project)).filter(({ kind }) => kind === 'masters-round')).toEqual([]);
  });

  test('updated to on three members, one of which comes later: the loser goes everywhere and does not come back', async () => {
    const { members, rows } = await pair('keep-earliest', { count: 3, seed: "insert into t select g, g::text, 'old' from generate_series(1, 3) g" });
    for (const [index, member] of members.entries()) await member.script(`update t set email = 'same', v = 'm${index}' where id = ${index + 1}`);
    expect(await rows()).toEqual(['(1,same,m0)']);
    await at(members, 2).script("insert into t values (3, 'other', 'again')");
    expect(await rows()).toEqual(['(1,same,m0)', '(3,other,again)']);
  });

  test('many at once, through the stage', async () => {
    const { members, rows } = await pair('keep-latest');
    await at(members, 0).script("insert into t select g, 'e' || g, 'east' from generate_series(1, 3000) g");
    await at(members, 1).script("insert into t select 10000 + g, 'e' || g, 'west' from generate_series(1, 6000, 2) g");
    const all = await rows();
    expect(all.filter((row) => row.endsWith('west)')).length).toBe(3000);
    expect(all.filter((row) => row.endsWith('east)')).length).toBe(1500);
    expect((await parkedAt(at(members, 1))).length).toBe(1500);
  });

  test('a row whose own conflict was decided may lose its place all the same', async () => {
    const { members, rows } = await pair('keep-latest', { seed: "insert into t values (1, 'one', 'old')" });
    await at(members, 0).script("update t set email = 'x', v = 'east' where id = 1");
    await at(members, 1).script(
      "update t set email = 'x', v = 'west' where id = 1; update t set email = 'y' where id = 1; insert into t values (2, 'x', 'new')",
    );
    expect(await rows()).toEqual(['(1,y,west)', '(2,x,new)']);
    await at(members, 1).script("update t set email = 'z', v = 'first' where id = 1");
    await at(members, 0).script("update t set email = 'p', v = 'second' where id = 1; update t set email = 'q' where id = 2");
    await at(members, 1).script("insert into t values (3, 'p', 'third')");
    expect(await rows()).toEqual(['(2,q,new)', '(3,p,third)']);
  });

  test('values that swap on one side while the other writes are no clash', async () => {
    const { members, rows, conflicts } = await pair('park', { seed: "insert into t values (1, 'a', ''), (2, 'b', ''), (3, 'c', '')" });
    await at(members, 0).script(
      "begin; update t set email = 'tmp' where id = 1; update t set email = 'a' where id = 2; update t set email = 'b' where id = 1; commit",
    );
    await at(members, 1).script("update t set v = 'west' where id = 3; insert into t values (4, 'd', '')");
    expect(await rows()).toEqual(['(1,b,"")', '(2,a,"")', '(3,c,west)', '(4,d,"")']);
    expect(await conflicts()).toEqual([]);
  });

  test('a deferrable constraint, which the server does not check for us, several columns, nulls, and two indexes at once', async () => {
    const schema = `create table t (id integer primary key, email text, v text, a integer, b integer,
      unique (email) deferrable initially deferred, unique (a, b));`;
    const { members, rows } = await pair('keep-earliest', { schema });
    await at(members, 0).script("insert into t values (1, 'x', 'e', 1, 1), (2, 'y', 'e', 2, null)");
    await at(members, 1).script("insert into t values (3, 'x', 'w', 9, 9), (4, 'z', 'w', 1, 1), (5, 'u', 'w', 2, null)");
    expect(await rows()).toEqual(['(1,x,e,1,1)', '(2,y,e,2,)', '(5,u,w,2,)']);
  });
});

test('parked rows are put back, as a new change, once their value is free', async () => {
  const { members, project, rows } = await pair('keep-earliest');
  const [east, west] = [at(members, 0), at(members, 1)];
  await east.script("insert into t values (1, 'a@b', 'east')");
  await west.script("insert into t values (2, 'a@b', 'west')");
  await rows();
  const { plan } = await project.generated();
  const sessions = await Promise.all(
    [east, west].map(({ url }, index) => connect({ database: index === 0 ? 'east' : 'west', role: 'target', url, variable: 'URL' })),
  );
  expect(await retryParked(plan, 'm', sessions)).toEqual({ putBack: 0, stillParked: 1 });
  await west.script('delete from t where id = 1');
  await rows();
  expect(await retryParked(plan, 'm', sessions)).toEqual({ putBack: 1, stillParked: 0 });
  await Promise.all(sessions.map((session) => session.close()));
  expect(await rows()).toEqual(['(2,a@b,west)']);
  await expectAlike(members, ['public.t']);
  for (const member of members) expect(await parkedAt(member)).toEqual([]);
});

test('undoing a clash of unique values brings the row back that went, once its value is free, and never writes the row that stayed', async () => {
  const { members, project, rows, settles } = await pair('keep-earliest');
  const [east, west] = [at(members, 0), at(members, 1)];
  await east.script("insert into t values (1, 'a@b', 'east')");
  await west.script("insert into t values (2, 'a@b', 'west')");
  await settles();
  await west.script("update t set v = 'changed since' where id = 1");
  await settles();
  const id = (await east.query<{ id: string }>('select id::text as id from sarrio.conflict'))[0]?.id ?? '';
  const undo = (...args: readonly string[]) =>
    runVerb(conflictsVerb, ['undo', id, '--generated', project.dir, ...args], { cwd: project.dir, env: project.env });
  // East's version is the other row, which has a key of its own.
  for (const args of [
    ['--take', 'east'],
    ['--take', 'east', '--anyway'],
  ]) {
    expect(await undo(...args)).toMatchObject({ exit: 'invalid', diagnostics: [{ code: 'SAR633' }] });
  }
  expect(await undo()).toMatchObject({ exit: 'refused', diagnostics: [{ code: 'SAR634', message: expect.stringMatching(/t_email_key/) }] });
  expect(await rows()).toEqual(['(1,a@b,"changed since")']);
  await east.script("update t set email = 'c@d'");
  await settles();
  expect(await undo()).toMatchObject({ exit: 'ok', data: { taken: 'west' } });
  expect(await rows()).toEqual(['(1,c@d,"changed since")', '(2,a@b,west)']);
});

test('a runner killed at any point of a round that parks rows: each row stands everywhere, or is parked', { timeout: 120_000 }, async () => {
  const { members, project, rows } = await pair('keep-earliest', { count: 3 });
  for (const [turn, point] of ['masters.after-rows', 'masters.before-commit', 'masters.commit-sent', 'masters.after-commit'].entries()) {
    for (const [index, member] of members.entries()) await member.script(`insert into t values (${turn * 10 + index}, 'e${turn}', 'm${index}')`);
    const running = startSarrio(['run', '--generated', project.dir], { env: { ...project.env, SARRIO_FAILPOINT: `${point}=kill` } });
    expect([point, (await running.ended).exitCode]).toEqual([point, KILLED]);
  }
  expect(await rows()).toEqual(['(0,e0,m0)', '(10,e1,m0)', '(20,e2,m0)', '(30,e3,m0)']);
  const parked = new Set((await Promise.all(members.map(parkedAt))).flat());
  expect(parked.size).toBe(8);
});
