import type { TestDatabase } from '../test/support/database.ts';
import { waitUntil } from '../test/support/wait.ts';
import { COPIED_PAYMENTS, NEW_COLUMN, UNWEIGHED, WEIGHED } from './compared.sql.ts';

type Shop = { readonly east: TestDatabase; readonly west: TestDatabase; readonly reporting: TestDatabase };

const PATIENCE = { timeoutMs: 60_000, everyMs: 100 };

/** Waits until the copy that was asked for has taken the table's place; how many payments it counts. */
export async function nightlyCopy({ reporting }: Shop, ask: () => Promise<void>): Promise<number> {
  const payments = async (): Promise<number> => (await reporting.query<{ n: number }>(COPIED_PAYMENTS))[0]?.n ?? 0;
  const before = await payments();
  await ask();
  await waitUntil('the copy is there', async () => (await payments()) > before, PATIENCE);
  return payments();
}

/** A column for all three databases under their clients, the plan that knows it, and its values from west to everywhere. */
export async function addColumn(shop: Shop, adopt: () => Promise<void>): Promise<void> {
  for (const database of Object.values(shop)) await patiently(() => database.script(NEW_COLUMN));
  await adopt();
  await patiently(() => shop.west.script(WEIGHED));
  for (const database of Object.values(shop)) {
    await waitUntil(`the new column is filled at ${database.name}`, async () => (await database.query<{ n: number }>(UNWEIGHED))[0]?.n === 0, PATIENCE);
  }
}

/** Who waits for a lock behind a busy shop gives way after two seconds and comes again. */
async function patiently(work: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      const { code } = error as { code?: string };
      if (attempt === 20 || (code !== '55P03' && code !== '40P01')) throw error;
    }
  }
}
