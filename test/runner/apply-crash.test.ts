import { expect, test } from 'vitest';
import { readChanges } from '../../src/commands/read-changes.ts';
import { systemClock } from '../../src/runner/clock.ts';
import { noFailpoint } from '../../src/runner/failpoint.ts';
import { applySteps } from '../../src/runner/7-apply/apply-steps.ts';
import { failpointNames } from '../../src/runner/7-apply/groups.ts';
import type { ApplyContext } from '../../src/runner/7-apply/run-group.ts';
import type { Session } from '../../src/runner/postgres/session.ts';
import type { Generated } from '../../src/plan/generated-files.ts';
import { inventory, ourObjects } from '../support/catalog.ts';
import { sarrio } from '../support/cli.ts';
import { share } from '../support/share.ts';
import { smallShop, type Shop, shopSync } from '../support/shop.ts';

const PATIENCE = 300_000;

function contextOf(generated: Generated, failpoint: ApplyContext['failpoint']): ApplyContext {
  const signal = new AbortController().signal;
  return { plan: generated.plan, clock: systemClock, log: () => undefined, failpoint, signal, ddlLockTimeoutMs: 1000, ddlRetries: 20, random: Math.random };
}

async function apply(generated: Generated, sessions: ReadonlyMap<string, Session>, failpoint: ApplyContext['failpoint'] = noFailpoint): Promise<void> {
  const { changePlan } = await readChanges(generated, sessions);
  await applySteps({ ...changePlan, sessions, context: contextOf(generated, failpoint) });
}

async function stateOf({ shop, copy }: Shop): Promise<unknown> {
  const lists = [];
  for (const database of [shop, copy]) lists.push(await ourObjects(database), await inventory(database));
  return lists;
}

async function wipe({ shop, copy }: Shop): Promise<void> {
  for (const database of [shop, copy]) await database.query('drop schema if exists sarrio cascade');
}

async function close(sessions: ReadonlyMap<string, Session>): Promise<void> {
  for (const session of sessions.values()) if (session.isOpen()) await session.close();
}

test(
  'an apply that loses its connections anywhere converges when it is run again',
  async () => {
    const place = await smallShop(shopSync('public.orders'));
    const { project } = place;
    const generated = await project.generated();
    const first = await project.sessions();
    const names = failpointNames((await readChanges(generated, first)).changePlan.steps);
    await apply(generated, first);
    const wanted = await stateOf(place);
    await close(first);
    expect(names.length).toBeGreaterThan(50);
    for (const name of share(names)) {
      await wipe(place);
      const dying = await project.sessions();
      const crash = async (at: string): Promise<void> => {
        if (at !== name) return;
        for (const session of dying.values()) session.destroy();
      };
      await apply(generated, dying, crash).catch(() => undefined);
      await close(dying);
      const next = await project.sessions();
      await apply(generated, next);
      expect((await readChanges(generated, next)).changePlan.steps, name).toEqual([]);
      await close(next);
      expect(await stateOf(place), name).toEqual(wanted);
    }
  },
  PATIENCE,
);

test(
  'the program killed at its statements and commits goes on from there',
  async () => {
    const place = await smallShop(shopSync('public.orders'));
    const { project } = place;
    const run = (failpoint: string) => sarrio(['apply', '--generated', project.dir], { env: { ...project.env, SARRIO_FAILPOINT: failpoint } });
    for (const [group, point] of share(
      [
        ['sarrio', 'before-3'],
        ['sarrio', 'before-commit'],
        ['sarrio', 'after-commit'],
        ['public.orders', 'after-1'],
        ['public.orders', 'before-commit'],
        ['streams', 'before-commit'],
      ],
      2,
    )) {
      const killed = await run(`apply.shop.${group}.${point}=kill`);
      expect(killed.exitCode, `${group} ${point}\n${killed.stderr}`).not.toBe(0);
      expect(killed.stdout).toBe('');
    }
    const done = await run('');
    expect(done.stderr).not.toContain('error');
    expect(done.exitCode).toBe(0);
    expect(done.stdout).toContain('re-planned: nothing to do');
    expect((await project.plan('--exit-code')).exit).toBe('ok');
  },
  PATIENCE,
);

test('a statement that fails leaves what was committed before, says so by its exit, and the next apply goes on', async () => {
  const { shop, project } = await smallShop(shopSync('public.orders'));
  await shop.script("create function public.refuse() returns event_trigger language plpgsql as $$ begin raise exception 'no triggers today'; end $$");
  await shop.script("create event trigger refuse on ddl_command_start when tag in ('CREATE TRIGGER') execute function public.refuse()");
  const stopped = await project.apply();
  expect(stopped.exit).toBe('partial');
  expect(stopped.diagnostics[0]).toMatchObject({ code: 'SAR506', where: 'database shop, group public.orders' });
  expect(stopped.diagnostics[0]?.message).toContain('no triggers today');
  await shop.script('drop event trigger refuse');
  expect((await project.apply()).exit).toBe('ok');
});

test('a trigger that is switched off and on between plan and apply fails the apply instead of being taken for granted', async () => {
  const place = await smallShop(shopSync('public.orders'));
  const generated = await place.project.generated();
  const sessions = await place.project.sessions();
  await apply(generated, sessions);
  const pair = 'alter table orders disable trigger sarrio_insert; alter table orders enable trigger sarrio_insert';
  await place.shop.script(`grant execute on function sarrio.capture_public_orders() to public`);
  const meddle = async (name: string): Promise<void> => (name === 'apply.shop.public.orders.before-1' ? place.shop.script(pair) : undefined);
  await expect(apply(generated, sessions, meddle)).rejects.toThrow(/SAR514/);
  const { changePlan } = await readChanges(generated, sessions);
  expect(changePlan.steps.map(({ id }) => id)).toEqual(['shop: repair function sarrio.capture_public_orders()', 'shop: refresh rows public.orders']);
  await apply(generated, sessions);
  expect((await readChanges(generated, sessions)).changePlan.steps).toEqual([]);
  await close(sessions);
});
