import { beforeAll, describe, expect, test } from 'vitest';
import type { OneWaySync } from '../../src/index.ts';
import { buildOnce } from '../support/build.ts';
import { sarrio } from '../support/cli.ts';
import { differingRows } from '../support/compare.ts';
import { cutting, refusal, startApplication } from '../support/cutting.ts';
import { catchUp, follow } from '../support/follow.ts';
import type { Installation } from '../support/installation.ts';
import { waitUntil } from '../support/wait.ts';

beforeAll(buildOnce, 180_000);

const TABLES = ['public.orders', 'public.parts'];
const turned = (existingRows: OneWaySync['existingRows']): Readonly<Record<string, OneWaySync>> => ({
  s: { mode: 'one-way', source: 'target', targets: ['source'], tables: TABLES, sequences: 'carry', ...(existingRows ? { existingRows } : {}) },
});

/** Steps 1 to 3 of what the program prints, as somebody follows them. */
async function turnRound(project: Installation, existingRows: OneWaySync['existingRows']): Promise<void> {
  await project.compile(turned(existingRows));
  const allowed = ['drop-stream:s/target', 'drop-changes:sarrio.delta_public_orders', 'drop-changes:sarrio.delta_public_parts'];
  const applied = await project.apply(...allowed.flatMap((name) => ['--allow', name]));
  expect(applied.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
}

describe('the way back', () => {
  test('is in place before the target is opened, so that no row is copied and none is missed; then all goes back again', { timeout: 180_000 }, async () => {
    const { source, target, project } = await cutting();
    const held = await project.cutover('s', '--hold');
    expect(held.data).toMatchObject({ state: 'held' });
    expect(held.text).toContain("existingRows: 'keep'");
    expect([await refusal(source, 'delete from orders'), await refusal(target, 'delete from orders')]).toEqual(['25006', '25006']);
    await turnRound(project, 'keep');
    expect(await refusal(target, 'delete from orders')).toBe('25006');
    const opened = await project.cutover('s');
    expect(opened.diagnostics).toEqual([]);
    expect(opened.data).toMatchObject({ state: 'reversed', target: 'target' });
    // Written before any runner knows of the stream.
    await target.script("insert into orders (who) values ('first'); delete from orders where id <= 10; update parts set v = 'z' where k = 4");
    const application = await startApplication(target);
    const running = follow(project);
    await waitUntil('the application is at work', () => application.acknowledged.length > 50);
    expect(await refusal(source, 'insert into orders default values')).toBe('25006');
    expect(running.events.filter(({ kind }) => kind === 'copy-started')).toEqual([]);
    expect((await project.status()).diagnostics).toMatchObject([{ code: 'SAR616', message: expect.stringContaining('rows were kept') }]);
    expect((await project.cutover('s')).diagnostics).toMatchObject([{ code: 'SAR804', message: expect.stringContaining('unverified') }]);
    expect((await project.verify()).exit).toBe('ok');
    const back = await project.cutover('s');
    expect(back.diagnostics).toEqual([]);
    await application.stop();
    await running.stop();
    expect(await differingRows(source, target, ...TABLES)).toEqual([]);
    expect([await refusal(source, 'insert into orders default values'), await refusal(target, 'insert into orders default values')]).toEqual([null, '25006']);
  });

  test('with a copy, as is printed once the target is open', { timeout: 120_000 }, async () => {
    const { source, target, project } = await cutting();
    expect((await project.cutover('s')).text).toContain("existingRows: 'replace'");
    await target.script("insert into orders (who) values ('own'); delete from orders where id = 3");
    await turnRound(project, 'replace');
    await catchUp(project);
    expect(await differingRows(source, target, ...TABLES)).toEqual([]);
    expect(await refusal(source, 'insert into orders default values')).toBe('25006');
    expect((await project.cutover('s')).exit).toBe('ok');
    expect(await refusal(source, 'insert into orders default values')).toBeNull();
  });

  test('the opening killed before it is recorded is called again', { timeout: 120_000 }, async () => {
    const { source, target, project } = await cutting();
    await project.cutover('s', '--hold');
    await turnRound(project, 'keep');
    const env = { ...project.env, SARRIO_FAILPOINT: 'cutover.reversed.opened=kill' };
    expect((await sarrio(['cutover', 's', '--generated', project.dir], { env })).exitCode).toBe(-1);
    await waitUntil('nobody of ours is connected', async () => {
      const [row] = await source.query<{ n: number }>(
        "select count(*)::int as n from pg_stat_activity where application_name like 'sarrio%' and datname = current_database()",
      );
      return row?.n === 0;
    });
    expect(await refusal(target, "insert into orders (who) values ('own')")).toBeNull();
    expect((await project.cutover('s')).data).toMatchObject({ state: 'reversed' });
    await catchUp(project);
    expect(await differingRows(source, target, ...TABLES)).toEqual([]);
  });

  test('a held cut-over is undone, or opened as it is', { timeout: 120_000 }, async () => {
    const { source, target, project } = await cutting();
    await project.cutover('s', '--hold');
    expect((await project.cutover('s', '--abort')).data).toMatchObject({ state: 'aborted', from: 'carried' });
    expect(await refusal(source, 'insert into orders default values')).toBeNull();
    await project.cutover('s', '--hold');
    expect((await project.cutover('s')).data).toMatchObject({ state: 'opened', changed: true });
    expect(await refusal(target, 'insert into orders default values')).toBeNull();
  });
});

describe("one-way existingRows: 'keep'", () => {
  test('copies nothing, sends what was captured before the stream began, and is unverified until compared', { timeout: 120_000 }, async () => {
    const { source, target, project } = await cutting();
    await project.compile({ s: { mode: 'one-way', source: 'source', targets: ['target'], tables: TABLES, sequences: 'carry', existingRows: 'keep' } });
    await project.apply();
    await target.script('delete from orders where id = 7');
    expect((await sarrio(['copy', '--sync', 's', '--target', 'target', '--generated', project.dir], { env: { ...project.env } })).exitCode).toBe(0);
    await source.script("insert into orders (who) values ('new'); update orders set n = -1 where id = 2");
    const events = await catchUp(project);
    expect(events.filter(({ kind }) => kind === 'copy-started')).toEqual([]);
    expect(await differingRows(source, target, ...TABLES)).toHaveLength(1);
    expect((await project.status()).data).toMatchObject({ streams: [{ reason: expect.stringContaining('rows were kept') }] });
    expect((await project.verify('--repair', '--yes')).exit).toBe('ok');
    expect((await project.status()).diagnostics).toEqual([]);
    expect(await differingRows(source, target, ...TABLES)).toEqual([]);
  });
});
