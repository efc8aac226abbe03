import { describe, expect, test } from 'vitest';
import { differingRows } from '../support/compare.ts';
import { freshDatabase } from '../support/databases.ts';
import { catchUp, follow, onAll } from '../support/follow.ts';
import { installation } from '../support/installation.ts';
import { purging } from '../support/purging.ts';
import { found, verified } from '../support/verified.ts';
import { waitUntil } from '../support/wait.ts';
import { ACCOUNTS, startWorkload, TABLES, WORKLOAD } from '../support/workload.ts';

/** Source and target under four writers, followed by a runner. */
async function underLoad() {
  const [source, target] = [await freshDatabase('source'), await freshDatabase('target')];
  await onAll([source, target], WORKLOAD);
  await source.script(ACCOUNTS);
  const project = await installation({
    databases: { source, target },
    syncs: { s: { mode: 'one-way', source: 'source', targets: ['target'], tables: ['public.*'] } },
  });
  expect((await project.apply()).diagnostics).toEqual([]);
  await catchUp(project);
  const running = follow(project);
  const workload = startWorkload(source, { paceMs: 40 });
  const end = async (): Promise<void> => {
    await workload.stop();
    await running.stop();
    await catchUp(project);
  };
  const rounds = (): number => running.events.filter(({ kind }) => kind === 'round').length;
  return { source, target, project, rounds, end };
}

describe('under load', () => {
  test('no false alarm, however often it is asked, while segments are emptied as fast as can be', async () => {
    const { source, target, project, rounds, end } = await underLoad();
    const purger = await purging(source, (await project.generated()).plan);
    const state = { on: true };
    const purged = (async () => {
      while (state.on) await purger.once();
    })();
    const alarms: string[] = [];
    let inFlight = 0;
    await waitUntil(
      'many verifies, rounds and purges',
      async () => {
        const result = await verified(project);
        expect(result.diagnostics).toEqual([]);
        if (result.exit === 'differs') alarms.push(result.text);
        inFlight += result.tables.reduce((sum, { differences }) => sum + differences.inFlight, 0);
        return result.exit === 'differs' || (rounds() > 40 && purger.events.length > 5 && inFlight > 20);
      },
      { timeoutMs: 100_000, everyMs: 0 },
    );
    state.on = false;
    await purged;
    await purger.close();
    await end();
    expect(alarms).toEqual([]);
    const { exit, tables } = await verified(project);
    expect({ exit, states: tables.map(({ state }) => state) }).toEqual({ exit: 'ok', states: TABLES.map(() => 'equal') });
    expect(await differingRows(source, target, ...TABLES)).toEqual([]);
  }, 150_000);

  test('a planted difference is found, and repaired, while writers write and the runner runs', async () => {
    const { source, target, project, rounds, end } = await underLoad();
    await waitUntil('the ledger has rows', async () => (await target.query('select from ledger where id > 400 limit 1')).length > 0);
    const [changed, deleted] = (await target.query<{ id: string }>('select id from ledger order by id limit 2')).map(({ id }) => id);
    await target.script(
      `update ledger set note = 'planted' where id = ${changed}; delete from ledger where id = ${deleted}; insert into ledger values (-1, 'planted')`,
    );
    const args = ['--table', 'public.ledger'];
    const seen = await verified(project, ...args);
    expect(seen.exit).toBe('differs');
    expect(found(seen)).toEqual(['extra id=-1', `different id=${changed}: note`, `missing id=${deleted}`]);
    const repaired = await verified(project, ...args, '--repair', '--yes');
    expect(repaired).toMatchObject({ exit: 'ok', tables: [{ state: 'repaired', repair: { written: 3, leftToRound: 0 } }] });
    expect((await verified(project, ...args)).exit).toBe('ok');
    const before = rounds();
    await waitUntil('rounds go on', () => rounds() > before + 3);
    await end();
    expect(await differingRows(source, target, ...TABLES)).toEqual([]);
  });
});
