import { beforeAll, expect, test } from 'vitest';
import type { MultiMasterSync } from '../../src/index.ts';
import { buildOnce } from '../support/build.ts';
import { startSarrio } from '../support/cli.ts';
import type { TestDatabase } from '../support/database.ts';
import { freshDatabase } from '../support/databases.ts';
import { catchUp } from '../support/follow.ts';
import { installation } from '../support/installation.ts';
import { ARRIVALS, MASTER_SCHEMA, MASTER_TABLES, startMasterWorkload } from '../support/master-workload.ts';
import { expectAlike } from '../support/masters.ts';
import { waitUntil } from '../support/wait.ts';

beforeAll(buildOnce, 60_000);

/** Between these it is open what each member holds of a round. */
const POINTS = ['masters.after-rows', 'masters.before-durable', 'masters.before-commit', 'masters.commit-sent', 'masters.after-commit'];

test('a runner of a ring killed in the middle of rounds under writers loses nothing, and nothing arrives twice', { timeout: 300_000 }, async () => {
  const members: Record<string, TestDatabase> = { a: await freshDatabase('a'), b: await freshDatabase('b'), c: await freshDatabase('c') };
  const list = Object.values(members);
  for (const database of list) await database.script(MASTER_SCHEMA + ARRIVALS);
  const between = (...names: readonly string[]): MultiMasterSync => {
    return { mode: 'multi-master', members: names, tables: MASTER_TABLES, onConflict: 'last-update-wins', existingRows: 'keep' };
  };
  const project = await installation({ databases: members, syncs: { ab: between('a', 'b'), bc: between('b', 'c'), ca: between('c', 'a') } });
  expect((await project.apply()).diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  await catchUp(project);
  const workload = startMasterWorkload(members, { paceMs: 50 });
  for (const point of POINTS) {
    const running = startSarrio(['run', '--generated', project.dir], { env: { ...project.env, SARRIO_FAILPOINT: `${point}=kill` } });
    await waitUntil(`the runner is killed at ${point}`, () => running.ended.then(() => true), { timeoutMs: 60_000 });
  }
  const told = await workload.stop();
  await catchUp(project);
  await expectAlike(list, MASTER_TABLES);
  for (const database of list) {
    expect(await database.query('select member, n from arrived group by member, n having count(*) > 1')).toEqual([]);
    for (const [member, lines] of told) {
      const rows = await database.query<{ n: string }>('select n from journal where member = $1', [member]);
      const there = new Set(rows.map(({ n }) => Number(n)));
      expect(lines.filter((line) => !there.has(line))).toEqual([]);
    }
  }
  expect((await catchUp(project)).filter(({ kind }) => kind === 'masters-round')).toEqual([]);
});
