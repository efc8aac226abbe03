import { expect, test } from 'vitest';
import { catchUp, follow } from '../support/follow.ts';
import { sarrio } from '../support/cli.ts';
import { copied } from '../support/copying.ts';
import type { TestDatabase } from '../support/database.ts';
import { mastering } from '../support/mastering.ts';
import { oneWayPair } from '../support/one-way.ts';
import { waitUntil } from '../support/wait.ts';

/** A pause that says why and until when, through the program. */
const SCHEMA = 'create table t (id int primary key, v int)';

/** Its time comes: by the clock of the database, which is what decides. */
const comes = (database: TestDatabase): Promise<unknown> => database.query("update sarrio.paused set until = clock_timestamp() - interval '1 ms'");

test('one way: status says why and until when, and the running stream goes on by itself when the time has come', async () => {
  const { source, target, project } = await oneWayPair(SCHEMA);
  await project.approve();
  const verb = (...args: readonly string[]) => sarrio([...args, '--generated', project.dir], { env: project.env });
  const running = follow(project);
  await waitUntil('it runs', () => running.events.some(({ kind }) => kind === 'caught-up'));
  const paused = await verb('pause', '--sync', 's', '--reason', "the shop's stock-taking", '--until', '2h');
  expect(paused.stdout).toMatch(/is paused: .* It goes on at \d{4}-.*Z, or with: sarrio resume --sync s/);
  await waitUntil('it rests', () => running.events.some((event) => event.kind === 'stream' && event.state === 'paused'));
  await source.query('insert into t values (1, 1)');
  const { data } = JSON.parse((await verb('status', '--json')).stdout);
  expect(data.streams[0]).toMatchObject({ state: 'paused', reason: expect.stringMatching(/^paused by .* since .* until 20\d\d-.*: the shop's stock-taking$/) });
  expect(await target.query('select id from t')).toEqual([]);

  // The same once more changes nothing; another reason or time takes its place.
  expect((await verb('pause', '--sync', 's')).stdout).toMatch(/was paused already/);
  expect((await verb('pause', '--sync', 's', '--reason', 'longer', '--until', '2099-01-01T00:00Z')).stdout).toMatch(/is paused/);
  expect((await verb('pause', '--sync', 's', '--reason', 'longer', '--until', '2099-01-01T00:00Z')).stdout).toMatch(/was paused already/);
  const other = await verb('run', '--until-caught-up');
  expect(other.exitCode).toBe(3);
  expect(other.stderr).toMatch(/SAR612: database source: sync s is paused by .* until 2099-01-01.*: longer/);

  await comes(source);
  await waitUntil('it has the row', async () => (await target.query('select id from t')).length === 1);
  expect(JSON.parse((await verb('status', '--json')).stdout).data.streams[0].state).not.toBe('paused');
  expect((await verb('pause', '--sync', 's')).stdout).toMatch(/is paused/);
  expect((await verb('resume', '--sync', 's')).stdout).toMatch(/goes on/);
  await running.stop();
});

test('masters go on by themselves when the time has come', async () => {
  const { east, west, project } = await mastering(SCHEMA);
  await catchUp(project);
  expect((await project.pause('--sync', 'group', '--until', '1d')).exit).toBe('ok');
  const running = follow(project);
  await waitUntil('they rest', () => running.events.some((event) => event.kind === 'stream' && event.state === 'paused'));
  await east.query('insert into t values (1, 1)');
  for (const member of [east, west]) await comes(member);
  await waitUntil('west has it', async () => (await west.query('select id from t')).length === 1);
  await running.stop();
});

test('a full copy goes on by itself when the time has come', async () => {
  const { source, target, project } = await copied(SCHEMA, { every: '1h' });
  expect((await project.pause('--sync', 's', '--until', '30min')).exit).toBe('ok');
  await source.query('insert into t values (1, 1)');
  await expect(catchUp(project)).rejects.toThrow('sync s is paused');
  expect((await project.status()).data).toMatchObject({ streams: [{ state: 'paused', reason: expect.stringContaining(' until ') }] });
  await comes(source);
  await catchUp(project);
  expect(await target.query('select id from t')).toEqual([{ id: 1 }]);
});

test.each(['yesterday', '2h30', '2020-01-01T00:00Z', '2099-01-01T00:00', '2099-01-01', '-1h', '0h'])(
  '--until %s is refused before anything is contacted',
  async (until) => {
    const { exitCode, stdout } = await sarrio(['pause', '--sync', 's', '--until', until, '--json']);
    expect({ exitCode, code: JSON.parse(stdout).diagnostics[0].code }).toEqual({ exitCode: 4, code: 'SAR001' });
  },
);

test('what an earlier version has installed is paused as before, read as before, and asks for apply when it is to say more', async () => {
  const { source, project } = await oneWayPair(SCHEMA);
  await project.approve();
  await source.script('alter table sarrio.paused drop column reason, drop column until');
  const said = await project.pause('--sync', 's', '--reason', 'x');
  expect(said).toMatchObject({ exit: 'refused', diagnostics: [{ code: 'SAR618' }] });
  expect(await project.pause('--sync', 's')).toMatchObject({ exit: 'ok', data: { changed: true } });
  expect((await project.status()).data).toMatchObject({ streams: [{ state: 'paused' }] });
  await expect(catchUp(project)).rejects.toThrow('sync s is paused');
  expect((await project.resume('--sync', 's')).data).toMatchObject({ changed: true });
  await catchUp(project);
});
