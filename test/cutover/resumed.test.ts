import { beforeAll, describe, expect, test } from 'vitest';
import { STEPS } from '../../src/runner/10-cutover/steps.ts';
import { buildOnce } from '../support/build.ts';
import { type CliResult, sarrio } from '../support/cli.ts';
import { differingRows } from '../support/compare.ts';
import { type Cutting, cutting, doors, refusal, startApplication } from '../support/cutting.ts';
import { catchUp } from '../support/follow.ts';
import { share } from '../support/share.ts';
import { waitUntil } from '../support/wait.ts';

beforeAll(buildOnce, 180_000);

/** Every place of a cut-over: a step that is done and not recorded, one that is recorded, and within the last. */
const WORKED = STEPS.filter((step) => step !== 'begun');
const PLACES = ['cutover.begun.recorded', ...WORKED.flatMap((step) => [`cutover.${step}.done`, `cutover.${step}.recorded`]), 'cutover.opened.paused'];
/** From here on the target takes writes. */
const OPEN = ['cutover.opened.done', 'cutover.opened.recorded'];

function program({ project }: Cutting, args: readonly string[], failpoint = ''): Promise<CliResult> {
  return sarrio(['cutover', 's', ...args, '--generated', project.dir], { env: { ...project.env, SARRIO_FAILPOINT: failpoint } });
}

/** A killed program's backends end a moment later, and hold the project's lock until then. */
async function withoutSarrio({ source, target }: Cutting): Promise<void> {
  const ours = "select from pg_stat_activity where application_name like 'sarrio%' and datname = current_database()";
  for (const database of [source, target]) await waitUntil('nobody of ours is connected', async () => (await database.query(ours)).length === 0);
}

test('killed at every place, and called again each time, a cut-over ends as if it had not been', { timeout: 300_000 }, async () => {
  const cut = await cutting();
  const { source, target } = cut;
  const application = await startApplication(source, 2);
  // That the source is closed is recorded by what closes it: whoever goes on from there does not come by again.
  const places = PLACES.filter((place) => place !== 'cutover.source-closed.recorded');
  for (const place of share(
    places.toSorted((a, b) => orderOf(a) - orderOf(b)),
    2,
  )) {
    const killed = await program(cut, [], `${place}=kill`);
    expect([place, killed.exitCode]).toEqual([place, -1]);
    await withoutSarrio(cut);
  }
  expect((await program(cut, [])).exitCode).toBe(0);
  const last = await program(cut, []);
  expect(last).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('has taken over already') });
  await application.stop();
  expect(await differingRows(source, target, 'public.orders', 'public.parts')).toEqual([]);
  const there = new Set((await target.query<{ id: string }>('select id from orders')).map(({ id }) => Number(id)));
  expect(application.acknowledged.filter((id) => !there.has(id))).toEqual([]);
  expect([await refusal(source, 'insert into orders default values'), await refusal(target, 'insert into orders default values')]).toEqual(['25006', null]);
});

/** The pause before opening comes after the sequences are recorded. */
function orderOf(place: string): number {
  const [, step = '', moment = ''] = place.split('.');
  return (STEPS as readonly string[]).indexOf(step) * 10 + ['paused', 'done', 'recorded'].indexOf(moment);
}

describe('an abort', () => {
  test('after a kill at any place before the target is open leaves both sides as they were', { timeout: 300_000 }, async () => {
    const cut = await cutting();
    const { source, target, project } = cut;
    await source.script('create role cut_app; grant insert (who, n), select on orders to cut_app; grant truncate on parts to cut_app with grant option');
    try {
      const before = [await doors(source), await doors(target)];
      for (const place of share(
        PLACES.filter((each) => !OPEN.includes(each)),
        3,
      )) {
        await program(cut, [], `${place}=kill`);
        await withoutSarrio(cut);
        const aborted = await program(cut, ['--abort']);
        expect([place, aborted.exitCode, aborted.stderr]).toEqual([place, 0, expect.any(String)]);
        expect([place, await doors(source), await doors(target)]).toEqual([place, ...before]);
        expect(await source.query('select from sarrio.cutover union all select from sarrio.paused')).toEqual([]);
        expect(await refusal(source, "insert into orders (who) values ('between')")).toBeNull();
      }
      await catchUp(project);
      expect(await differingRows(source, target, 'public.orders', 'public.parts')).toEqual([]);
    } finally {
      await source.script('drop owned by cut_app; drop role cut_app');
    }
  });

  test('that is killed itself is called again, and until then nothing else goes on', { timeout: 120_000 }, async () => {
    const cut = await cutting();
    const before = [await doors(cut.source), await doors(cut.target)];
    for (const place of ['cutover.abort.begun', 'cutover.abort.source-opened', 'cutover.abort.target-opened']) {
      await program(cut, [], 'cutover.verified.recorded=kill');
      await withoutSarrio(cut);
      await program(cut, ['--abort'], `${place}=kill`);
      await withoutSarrio(cut);
      if (place !== 'cutover.abort.begun') {
        expect(await refusal(cut.source, 'insert into orders default values')).toBeNull();
        expect(await program(cut, [])).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('SAR810') });
        expect((await cut.project.status()).diagnostics).toMatchObject([{ code: 'SAR815', hint: expect.stringContaining('--abort') }]);
      }
      expect((await program(cut, ['--abort'])).exitCode).toBe(0);
      expect([await doors(cut.source), await doors(cut.target)]).toEqual(before);
    }
  });

  test('is refused once the target is open, recorded or not, and says how things stand', { timeout: 120_000 }, async () => {
    const cut = await cutting();
    await program(cut, [], 'cutover.opened.done=kill');
    await withoutSarrio(cut);
    await cut.target.script("insert into orders (who) values ('own')");
    const refused = await program(cut, ['--abort']);
    expect(refused).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('SAR809') });
    expect(refused.stderr).toContain('may hold writes that source lacks, so source stays closed');
    expect(await refusal(cut.source, 'insert into orders default values')).toBe('25006');
    expect((await program(cut, [])).exitCode).toBe(0);
    expect((await program(cut, ['--abort'])).exitCode).toBe(3);
  });
});

describe('in the middle', () => {
  test('status says so, apply leaves it alone, and a side that somebody opens is noticed', { timeout: 120_000 }, async () => {
    const cut = await cutting();
    await program(cut, [], 'cutover.drained.recorded=kill');
    await withoutSarrio(cut);
    const status = await cut.project.status('--exit-code');
    expect(status.exit).toBe('differs');
    expect(status.diagnostics).toMatchObject([{ code: 'SAR815', message: expect.stringContaining("stands after step 'drained'") }]);
    expect((await cut.project.plan('--exit-code')).exit).toBe('ok');
    await cut.project.apply();
    expect(await refusal(cut.source, 'insert into orders default values')).toBe('25006');
    await cut.source.script('drop trigger closed_by_sarrio on orders; drop trigger closed_by_sarrio_rows on orders');
    const noticed = await program(cut, []);
    expect(noticed).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('public.orders in source may have been written meanwhile') });
    expect((await program(cut, ['--abort'])).exitCode).toBe(0);
    expect((await program(cut, [])).exitCode).toBe(0);
  });

  test('destroy takes the closed doors away with everything else', async () => {
    const cut = await cutting();
    expect((await cut.project.cutover('s')).exit).toBe('ok');
    expect((await cut.project.destroy('--confirm', 'sarrio')).exit).toBe('ok');
    expect(await refusal(cut.source, 'insert into orders default values')).toBeNull();
  });
});
