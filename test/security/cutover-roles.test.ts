import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { buildOnce } from '../support/build.ts';
import { sarrio } from '../support/cli.ts';
import { refusal } from '../support/cutting.ts';
import { catchUp } from '../support/follow.ts';
import { guarded } from '../support/roles.ts';
import { waitUntil } from '../support/wait.ts';

beforeAll(buildOnce, 180_000);

/** Places of a cut-over: done and not recorded, recorded, and within the last step. */
const PLACES = [
  'cutover.begun.recorded',
  'cutover.target-closed.done',
  'cutover.source-closed.done',
  'cutover.drained.recorded',
  'cutover.verified.done',
  'cutover.opened.paused',
  'cutover.opened.done',
];
/** `guarded` says nothing of sequences, and a cut-over has to know. */
const SYNCS = { s: { mode: 'one-way', source: 'source', targets: ['target'], tables: ['public.*'], sequences: 'ignore' } } as const;
const OURS = "select from pg_stat_activity where application_name like 'sarrio%' and datname = current_database()";

/** Tables of somebody else, an owner who is a member of that role and of the runner, and neither of them a superuser. */
async function place() {
  const { source, target, roles, project, as } = await guarded('create table t (id integer primary key, v text)', { syncs: SYNCS });
  const keeper = `keeper_${source.name}`;
  await source.script(`create role ${keeper}; grant ${keeper}, ${roles.runner} to ${roles.owner}`);
  onTestFinished(async () => {
    for (const database of [source, target]) await database.script(`drop owned by ${keeper} cascade`);
    await source.script(`drop role ${keeper}`);
  });
  for (const database of [source, target]) await database.script(`alter table t owner to ${keeper}`);
  await project.approve();
  await source.script("insert into t select g, 'v' from generate_series(1, 100) as g");
  await catchUp(as(roles.runner));
  const cutover = async (args: readonly string[] = [], failpoint = '') => {
    const ended = await sarrio(['cutover', 's', ...args, '--generated', project.dir], { env: { ...project.env, SARRIO_FAILPOINT: failpoint } });
    for (const database of [source, target]) await waitUntil('nobody of ours is connected', async () => (await database.query(OURS)).length === 0);
    return ended;
  };
  const doors = async () => [await refusal(source, "insert into t values (0, '')"), await refusal(target, "insert into t values (0, '')")];
  return { source, target, roles, as, cutover, doors };
}

type Cutover = Awaited<ReturnType<typeof place>>['cutover'];

async function killedAt(cutover: Cutover, point: string): Promise<void> {
  const { exitCode, stderr } = await cutover([], `${point}=kill`);
  expect({ point, exitCode, stderr: exitCode === -1 ? '' : stderr }).toEqual({ point, exitCode: -1, stderr: '' });
}

test('killed at every place under roles of least privilege, a cut-over goes on where it was and ends', { timeout: 300_000 }, async () => {
  const { source, target, cutover, doors } = await place();
  for (const point of PLACES) await killedAt(cutover, point);
  const last = await cutover();
  expect({ exitCode: last.exitCode, stderr: last.exitCode === 0 ? '' : last.stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(await doors()).toEqual(['25006', null]);
  expect(await target.query('select id, v from t where id > 0 order by id')).toEqual(await source.query('select id, v from t where id > 0 order by id'));
});

test('killed half way under them, it is undone by --abort, and the stream goes on as the runner', { timeout: 300_000 }, async () => {
  const { source, target, roles, as, cutover, doors } = await place();
  for (const point of ['cutover.source-closed.done', 'cutover.verified.recorded', 'cutover.opened.paused']) {
    await killedAt(cutover, point);
    const aborted = await cutover(['--abort']);
    expect({ point, exitCode: aborted.exitCode, stderr: aborted.exitCode === 0 ? '' : aborted.stderr }).toEqual({ point, exitCode: 0, stderr: '' });
    expect((await doors())[0]).toBeNull();
    await source.query('delete from t where id = 0');
    await target.query('delete from t where id = 0');
  }
  await source.query("insert into t values (101, 'later')");
  await catchUp(as(roles.runner));
  expect(await target.query('select v from t where id = 101')).toEqual([{ v: 'later' }]);
});
