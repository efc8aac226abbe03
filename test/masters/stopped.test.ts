import { expect, test } from 'vitest';
import { kick } from '../../src/runner/8-round/control.ts';
import { readStatus } from '../../src/runner/8-round/status.ts';
import { connect } from '../../src/runner/postgres/session.ts';
import { startSarrio } from '../support/cli.ts';
import type { TestDatabase } from '../support/database.ts';
import { catchUp, type Following, follow } from '../support/follow.ts';
import { at, expectAlike, type Masters, masters, rowsOf } from '../support/masters.ts';
import { waitUntil } from '../support/wait.ts';

const TWO = 'create table t (id integer primary key, v text); create table u (id integer primary key, v text);';
const SEED = "insert into t select g, 'old' from generate_series(1, 5) g; insert into u select g, 'old' from generate_series(1, 5) g";
const STOP = { tables: [{ table: 'public.t', onConflict: 'stop' }, 'public.u'] } as const;

/** Table t stops at a conflict; u does not. */
async function stopping(count: number): Promise<Masters & { following: Following }> {
  const made = await masters(TWO, { count, sync: STOP, seed: SEED, compared: ['public.t', 'public.u'] });
  await at(made.members, 0).script("update t set v = 'east' where id = 1");
  await at(made.members, 1).script("update t set v = 'west' where id = 1");
  const following = follow(made.project);
  await waitUntil('the table is stopped', () => isStopped(following));
  return { ...made, following };
}

/** What has no exit code was ended by a signal. */
const KILLED = -1;

async function isStopped({ events }: Following): Promise<boolean> {
  return events.some(({ kind }) => kind === 'table-stopped');
}

async function goesOn({ events }: Following): Promise<void> {
  await waitUntil('the table goes on', async () => events.some(({ kind }) => kind === 'table-resumed'));
}

async function arrives(database: TestDatabase, table: string, row: string): Promise<void> {
  await waitUntil(`${row} arrives`, async () => (await rowsOf(database, table)).includes(row));
}

test('the rule stop stops its table, with the row shown; the others go on; what was made meanwhile is not lost once the row is mended', async () => {
  const { members, project, following, settles, conflicts } = await stopping(3);
  const [east, west, north] = [at(members, 0), at(members, 1), at(members, 2)];
  await east.script("update u set v = 'goes on' where id = 2; update t set v = 'waits' where id = 2; delete from t where id = 3");
  await arrives(north, 'u', '(2,"goes on")');
  expect(await rowsOf(north, 't')).toEqual(['(1,old)', '(2,old)', '(3,old)', '(4,old)', '(5,old)']);
  const { plan } = await project.generated();
  const status = await readStatus(plan, (database) =>
    connect({ database, role: 'status', url: project.env[`${database.toUpperCase()}_URL`] ?? '', variable: 'URL' }),
  );
  expect(status.find(({ target }) => target === 'west')?.stopped).toMatchObject([{ table: 'public.t', code: 'SAR620', key: { id: '1' } }]);
  // What the stopped table still has to bring is pending, although the watermark has gone past it.
  expect(status.find(({ source, target }) => source === 'east' && target === 'west')?.pending).toBe(3);
  expect(await heldBy(west)).toEqual(['public.t east', 'public.t north']);
  await west.script("update t set v = 'east' where id = 1");
  await goesOn(following);
  await following.stop();
  await settles();
  expect(await rowsOf(north, 't')).toEqual(['(1,east)', '(2,waits)', '(4,old)', '(5,old)']);
  expect(await conflicts()).toEqual([]);
  expect([await heldBy(east), await heldBy(west), await heldBy(north)]).toEqual([[], [], []]);
});

test('a run that ends by itself carries the other tables, keeps the stopped one through restarts, and says why', async () => {
  const { members, project, settles, conflicts } = await masters(TWO, { sync: STOP, seed: SEED, compared: ['public.t', 'public.u'] });
  const [east, west] = [at(members, 0), at(members, 1)];
  await east.script("update t set v = 'east' where id = 1");
  await west.script("update t set v = 'west' where id = 1");
  for (const round of ['first', 'second']) {
    await east.script(`update u set v = '${round}' where id = 1; update t set v = '${round}' where id = 5`);
    await expect(catchUp(project)).rejects.toThrow(/SAR620: sync m, table public.t: .*id = 1/);
    expect(await rowsOf(west, 'u')).toContain(`(1,${round})`);
    expect(await rowsOf(west, 't')).toContain('(5,old)');
  }
  await project.compile({ m: { mode: 'multi-master', members: ['east', 'west'], tables: ['public.*'], onConflict: 'last-update-wins' } });
  expect((await project.approve()).diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  await settles();
  expect(await rowsOf(east)).toEqual(['(1,west)', '(2,old)', '(3,old)', '(4,old)', '(5,second)']);
  expect(await conflicts()).toEqual(['update/update take west']);
});

test('nothing that a stopped table still needs is acknowledged, so that nothing of it is purged', async () => {
  const { members, following } = await stopping(2);
  const [east, west] = [at(members, 0), at(members, 1)];
  const acknowledged = async (): Promise<string> => (await east.query<{ position: string }>('select position from sarrio.acknowledged'))[0]?.position ?? '';
  const before = await acknowledged();
  await east.script("update u set v = 'goes on' where id = 2");
  await arrives(west, 'u', '(2,"goes on")');
  const covers = async (table: string): Promise<boolean> => {
    const sql = `select bool_and(change_xid < split_part(split_part(a.position, '/', 2), ':', 2)::xid8) as covered from sarrio.delta_public_${table}, sarrio.acknowledged as a`;
    return (await east.query<{ covered: boolean }>(sql))[0]?.covered ?? true;
  };
  expect(await covers('t')).toBe(false);
  await west.script("update t set v = 'east' where id = 1");
  await goesOn(following);
  await waitUntil('the table is acknowledged', () => covers('t'));
  expect(await acknowledged()).not.toBe(before);
});

test('rows that a member does not take stop their table alone, and a kick tries it again', async () => {
  const { members, project, settles } = await masters(TWO, { seed: SEED, compared: ['public.t', 'public.u'] });
  const [east, west] = [at(members, 0), at(members, 1)];
  await west.script('alter table t add constraint short check (length(v) < 6)');
  const following = follow(project);
  await east.script("update t set v = 'too long' where id = 4; update t set v = 'new' where id <> 4; update u set v = 'too long' where id = 4");
  await waitUntil('the table is stopped', () => isStopped(following));
  expect(following.events.find(({ kind }) => kind === 'table-stopped')).toMatchObject({
    table: 'public.t',
    code: 'SAR623',
    reason: expect.stringMatching(/west.*23514.*short.*\(4, too long\)/s),
  });
  expect(await west.query('select relation, key from sarrio.stopped')).toEqual([{ relation: 'public.t', key: { id: '4' } }]);
  await arrives(west, 'u', '(4,"too long")');
  await west.script('alter table t drop constraint short');
  const session = await connect({ database: 'west', role: 'install', url: west.url, variable: 'URL' });
  const { plan } = await project.generated();
  await kick(session, { sync: 'm', wake: plan.syncs['m']?.wake ?? '' }, { isCopy: false, user: 'somebody' });
  await session.close();
  await goesOn(following);
  await following.stop();
  await settles();
  await expectAlike(members, ['public.t']);
  expect(await rowsOf(west)).toContain('(4,"too long")');
});

test('a runner killed at any point of a round that leaves a table out loses nothing of it', { timeout: 120_000 }, async () => {
  const { members, project, settles, conflicts, following } = await stopping(3);
  await following.stop();
  const [east, west, north] = [at(members, 0), at(members, 1), at(members, 2)];
  for (const [turn, point] of ['masters.after-rows', 'masters.before-commit', 'masters.commit-sent', 'masters.after-commit'].entries()) {
    await east.script(`update u set v = '${point}' where id = 2; insert into t values (${100 + turn}, 'east')`);
    await north.script(`update t set v = '${point}' where id = 4; insert into u values (${100 + turn}, 'north')`);
    const running = startSarrio(['run', '--generated', project.dir], { env: { ...project.env, SARRIO_FAILPOINT: `${point}=kill` } });
    expect([point, (await running.ended).exitCode]).toEqual([point, KILLED]);
    expect(await rowsOf(west)).not.toContain(`(${100 + turn},east)`);
  }
  await west.script("update t set v = 'east' where id = 1");
  await settles();
  expect(await rowsOf(west)).toEqual([
    '(1,east)',
    '(100,east)',
    '(101,east)',
    '(102,east)',
    '(103,east)',
    '(2,old)',
    '(3,old)',
    '(4,masters.after-commit)',
    '(5,old)',
  ]);
  expect(await conflicts()).toEqual([]);
});

async function heldBy(database: TestDatabase): Promise<readonly string[]> {
  const rows = await database.query<{ held: string }>("select relation || ' ' || source as held from sarrio.held order by 1");
  return rows.map(({ held }) => held);
}
