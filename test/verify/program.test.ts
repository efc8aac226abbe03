import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { unless } from '../support/binaries.ts';
import { sarrio, startSarrio } from '../support/cli.ts';
import { replicated } from '../support/runner.ts';
import { waitUntil } from '../support/wait.ts';

const T = 'create table t (id integer primary key, v text); create table u (id integer primary key);';

test('exit codes and JSON', async () => {
  const { source, target, project, follows } = await replicated(T);
  await follows("insert into t select g, 'secret' || g from generate_series(1, 1000) g; insert into u select generate_series(1, 10)");
  const run = (...args: string[]) => sarrio(['verify', ...args, '--generated', project.dir], { env: project.env });
  const equal = await run();
  expect(equal).toMatchObject({ exitCode: 0 });
  expect(equal.stdout).toContain('s: source -> target\n  public.t  equal, 1,000 rows\n  public.u  equal, 10 rows\n\n2 tables: 2 equal');
  expect(equal.stderr).toMatch(/\[2\/2\] .* rows\/s/);
  await target.query("update t set v = 'secret of the target' where id = 7");
  await source.query("update t set v = 'in flight' where id = 8");
  const differs = await run('--json', '--table', 'public.t');
  expect(differs.exitCode).toBe(2);
  expect(JSON.parse(differs.stdout)).toMatchObject({
    schema: 'sarrio/verify/1.0',
    command: 'verify',
    exit: 'differs',
    data: {
      sample: 100,
      repair: 'none',
      tables: [
        {
          stream: { sync: 's', source: 'source', target: 'target' },
          source: 'public.t',
          target: 'public.t',
          state: 'differs',
          rows: { source: 1000, target: 1000 },
          differences: {
            missing: 0,
            extra: 0,
            different: 1,
            inFlight: 1,
            columns: [{ column: 'v', rows: 1 }],
            keys: [{ kind: 'different', key: { id: '7' }, columns: ['v'] }],
          },
        },
      ],
    },
    diagnostics: [],
  });
  expect(`${differs.stdout}${differs.stderr}${(await run()).stdout}`).not.toContain('secret');
  expect(await run('--table', 'public.u')).toMatchObject({ exitCode: 0 });
  for (const wrong of [['--sync', 'x'], ['--target', 'source'], ['--table', 't'], ['--sample', '0'], ['--sample', 'some'], ['--jobs', '0'], ['--yes']]) {
    expect(await run(...wrong)).toMatchObject({ exitCode: 4, stdout: '' });
  }
  await source.query('truncate u');
  expect(await run('--table', 'public.u')).toMatchObject({ exitCode: 6 });
  expect(await run()).toMatchObject({ exitCode: 2 });
  await target.query("update sarrio.installed set hash = 'other'");
  const refused = await run();
  expect(refused.exitCode).toBe(3);
  expect(refused.stderr).toContain('SAR608');
});

test('300,000 rows that all differ: the memory of the program stays flat', async () => {
  const { source, target, project } = await replicated(T, { tables: ['public.t'] });
  const rows = (word: string): string => `insert into t select g, '${word}' || repeat('wide ', 20) from generate_series(1, 300000) g`;
  await source.script(`set session_replication_role = replica; ${rows('one')}`);
  await target.script(`set session_replication_role = replica; ${rows('other')}`);
  const running = startSarrio(['verify', '--repair', '--yes', '--generated', project.dir], { env: project.env });
  const peak = { kb: 0 };
  const status = `/proc/${running.pid}/status`;
  const ended = running.ended.then(() => true);
  await waitUntil(
    'the program ends',
    async () => {
      const text = await readFile(status, 'utf8').catch(unless('ENOENT', 'ESRCH'));
      peak.kb = Math.max(peak.kb, Number(/VmHWM:\s+(\d+)/.exec(text ?? '')?.[1] ?? 0));
      return Promise.race([ended, Promise.resolve(false)]);
    },
    { timeoutMs: 100_000 },
  );
  expect(await running.ended).toMatchObject({ exitCode: 0 });
  expect(running.stdout()).toContain('300,000 different (v 300,000); 300,000 keys written, 0 left to the next round');
  if (process.platform === 'linux') expect(peak.kb).toBeGreaterThan(0);
  expect(peak.kb).toBeLessThan(160_000);
}, 120_000);
