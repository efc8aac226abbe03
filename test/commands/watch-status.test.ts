import { expect, onTestFinished, test } from 'vitest';
import { startSarrio } from '../support/cli.ts';
import { catchUp } from '../support/follow.ts';
import { oneWayPair } from '../support/one-way.ts';
import { waitUntil } from '../support/wait.ts';

test('status --watch shows what is pending again and again, as lines of JSON too, until it is told to end', { timeout: 60_000 }, async () => {
  const { source, project } = await oneWayPair('create table t (id integer primary key, v text)');
  await catchUp(project);
  const args = ['status', '--generated', project.dir, '--watch', '--every', '1'];
  const [shown, asJson] = [startSarrio(args, { env: project.env }), startSarrio([...args, '--json'], { env: project.env })];
  onTestFinished(async () => void (await Promise.all([shown.kill(), asJson.kill()])));
  const pending = (): readonly unknown[] =>
    asJson
      .stdout()
      .split('\n')
      .filter((line) => line.endsWith('}'))
      .map((line) => (JSON.parse(line) as { data: { streams: readonly { pending: unknown }[] } }).data.streams[0]?.pending);
  await waitUntil('nothing is pending', async () => pending().includes(0), { timeoutMs: 30_000 });
  await source.script("insert into t values (1000, 'new')");
  await waitUntil('a row is pending', async () => pending().at(-1) === 1, { timeoutMs: 30_000 });
  await catchUp(project);
  await waitUntil('nothing is pending any more', async () => pending().at(-1) === 0, { timeoutMs: 30_000 });
  const looks = (): number => shown.stdout().split(/^\d{4}-\d\d-\d\dT/m).length - 1;
  await waitUntil('people have seen it several times', async () => looks() > 2, { timeoutMs: 30_000 });
  expect(await Promise.all([shown.stop(), asJson.stop()])).toMatchObject([{ exitCode: 0 }, { exitCode: 0 }]);
});
