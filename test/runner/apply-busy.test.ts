import { expect, test } from 'vitest';
import { ourObjects } from '../support/catalog.ts';
import type { TestDatabase } from '../support/database.ts';
import { smallShop, shopSync } from '../support/shop.ts';
import { pause, waitUntil } from '../support/wait.ts';

/** Writes one row after another until told to stop; returns the longest single wait. */
function startWriter(database: TestDatabase): () => Promise<{ writes: number; longestMs: number }> {
  const state = { stop: false, writes: 0, longestMs: 0 };
  const work = (async () => {
    while (!state.stop) {
      const started = performance.now();
      await database.query('insert into orders values ($1, 0, null)', [1000 + state.writes]);
      state.longestMs = Math.max(state.longestMs, performance.now() - started);
      state.writes += 1;
      await pause(5);
    }
  })();
  return async () => {
    state.stop = true;
    await work;
    return state;
  };
}

test('a busy table is not blocked for long, and apply gets its turn when it is free', async () => {
  const { shop, project } = await smallShop(shopSync('public.orders'));
  const holder = await shop.connect();
  await holder.query("set application_name = 'long report'; begin; insert into orders values (1, 1, 'open')");
  const finishWriter = startWriter(shop);
  const applying = project.apply('--ddl-lock-timeout', '200ms', '--ddl-retries', '100');
  const isInstalled = async (): Promise<boolean> => (await ourObjects(shop)).some((line) => line.startsWith('trigger'));
  await pause(2_000);
  expect(await isInstalled()).toBe(false);
  await holder.query('commit');
  const applied = await applying;
  await waitUntil('writes are captured', async () => (await shop.query('select 1 from sarrio.delta_public_orders limit 1')).length === 1);
  const { writes, longestMs } = await finishWriter();
  await holder.end();
  expect(applied.diagnostics).toEqual([]);
  expect(applied.stderr).toMatch(/busy, try 1 of 101: backend \d+ \(long report, idle in transaction/);
  expect(writes).toBeGreaterThan(50);
  expect(longestMs).toBeLessThan(700);
});

test('apply gives up on a table that stays busy, names who holds it, and changes nothing there', async () => {
  const { shop, project } = await smallShop(shopSync('public.orders'));
  const holder = await shop.connect();
  await holder.query("set application_name = 'long report'; begin; insert into orders values (1, 1, 'open')");
  const stopped = await project.apply('--ddl-lock-timeout', '50ms', '--ddl-retries', '2');
  expect(stopped.exit).toBe('partial');
  expect(stopped.diagnostics[0]?.code).toBe('SAR505');
  expect(stopped.diagnostics[0]?.message).toContain('long report');
  expect((await ourObjects(shop)).filter((line) => line.includes('orders'))).toEqual([]);
  await holder.query('rollback');
  await holder.end();
  expect((await project.apply()).exit).toBe('ok');
});
