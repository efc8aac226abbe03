import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { VERBS } from '../../src/commands/verbs.ts';
import { EXIT, type ExitName } from '../../src/plan/errors.ts';
import { root } from '../support/build.ts';
import { sarrio } from '../support/cli.ts';

/** A plan of three databases that nobody listens for. */
const PLAN = join(root, 'test/cases/shop/expected');
const DEAD = 'postgres://nobody@127.0.0.1:1/none';
const URLS = { SHOP_URL: DEAD, REPLICA_URL: DEAD, REPORTS_URL: DEAD };
const ANY_CASE = join(root, 'test/cases/shop');

type Row = readonly [args: readonly string[], env: Readonly<Record<string, string>>, exit: ExitName, code: string];

/** How each verb fails, through the program: the exit's number, and a code that says why. */
const TABLE: readonly Row[] = [
  [['init'], {}, 'invalid', 'SAR530'],
  [['init', '--source', 'SHOP_URL', '--target', 'REPLICA_URL', '--yes'], URLS, 'failed', 'SAR401'],
  [['pull', '--config', join(ANY_CASE, 'replication.config.ts')], URLS, 'failed', 'SAR401'],
  [['pull', '--with-schema', '--config', join(ANY_CASE, 'replication.config.ts')], URLS, 'failed', 'SAR401'],
  [['pull', '--check', '--with-schema', '--config', join(ANY_CASE, 'replication.config.ts')], URLS, 'invalid', 'SAR001'],
  [['compile', '--config', 'absent.ts'], {}, 'invalid', 'SAR100'],
  [['compile', '--check', '--config', join(ANY_CASE, 'replication.config.ts'), '--generated', ANY_CASE], {}, 'differs', ''],
  [['check', '--config', 'absent.ts'], {}, 'invalid', 'SAR100'],
  [['check', '--config', join(ANY_CASE, 'replication.config.ts'), '--generated', ANY_CASE], {}, 'differs', 'SAR308'],
  [['explain', 'SAR999'], {}, 'invalid', 'SAR003'],
  [['plan'], {}, 'invalid', 'SAR301'],
  [['plan', '--generated', PLAN], URLS, 'failed', 'SAR401'],
  [['plan', '--format', 'pdf'], {}, 'invalid', 'SAR001'],
  [['apply', '--generated', PLAN, '--plan', 'absent.json'], URLS, 'invalid', 'SAR515'],
  [['apply', '--generated', PLAN], URLS, 'failed', 'SAR401'],
  [['plan', '--with-schema', '--generated', join(root, 'test/with-schema/edited')], URLS, 'invalid', 'SAR445'],
  [['apply', '--with-schema', '--generated', join(root, 'test/with-schema/edited')], URLS, 'invalid', 'SAR445'],
  [['apply', '--with-schema', '--expect', 'abc', '--generated', PLAN], URLS, 'invalid', 'SAR001'],
  [['apply', '--with-schema', '--generated', PLAN], URLS, 'ok', ''],
  [['apply', '--generated', join(root, 'test/cases/environments/expected')], URLS, 'invalid', 'SAR325'],
  [['apply', '--env', 'staging', '--generated', PLAN], URLS, 'invalid', 'SAR325'],
  [['diff', '--generated', PLAN], {}, 'invalid', 'SAR400'],
  [['diff', '--generated', PLAN, '--only', 'dirt'], {}, 'invalid', 'SAR001'],
  [['run', '--generated', PLAN], {}, 'invalid', 'SAR400'],
  [['status', '--generated', PLAN, '--exit-code'], URLS, 'differs', ''],
  [['conflicts', 'dance', '--generated', PLAN], {}, 'invalid', 'SAR001'],
  [['approve', '--generated', PLAN], URLS, 'invalid', 'SAR661'],
  [['migrate', 'absent.sql', '--generated', PLAN], URLS, 'invalid', 'SAR100'],
  [['kick', '--sync', 'absent', '--generated', PLAN], URLS, 'invalid', 'SAR609'],
  [['pause', '--sync', 'absent', '--generated', PLAN], URLS, 'invalid', 'SAR609'],
  [['resume', '--sync', 'absent', '--generated', PLAN], URLS, 'invalid', 'SAR609'],
  [['verify', '--generated', PLAN], {}, 'invalid', 'SAR400'],
  [['copy', '--sync', 'shop', '--target', 'absent', '--generated', PLAN], URLS, 'invalid', 'SAR610'],
  [['cutover', 'absent', '--generated', PLAN], URLS, 'invalid', 'SAR609'],
  [['doctor', '--generated', PLAN], URLS, 'differs', ''],
  [['graph'], {}, 'invalid', 'SAR301'],
  [['destroy', '--generated', PLAN], URLS, 'refused', 'SAR508'],
  [['destroy', '--generated', PLAN, '--confirm', 'sarrio'], URLS, 'failed', 'SAR401'],
];

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sarrio-exits-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test.each(TABLE.map((row) => [row[0].filter((word) => !word.startsWith('/')).join(' '), row] as const))('%s', async (_, [args, env, exit, code]) => {
  const { exitCode, stdout } = await sarrio([...args, '--json'], { cwd: folder, env });
  const answer = JSON.parse(stdout) as { exit: string; diagnostics: readonly { code: string }[] };
  expect({ exitCode, exit: answer.exit, code: answer.diagnostics[0]?.code ?? '' }).toEqual({ exitCode: EXIT[exit], exit, code });
});

test('no verb is left out', () => {
  expect(VERBS.map(({ name }) => name).filter((name) => !TABLE.some(([args]) => args[0] === name))).toEqual([]);
});
