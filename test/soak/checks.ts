import { differingRows } from '../support/compare.ts';
import { waitUntil } from '../support/wait.ts';
import { TABLES } from '../support/workload.ts';
import type { Stage } from './stage.ts';
import { APPLIED, LEFTOVERS } from './texts.sql.ts';

/** What is wrong when writers and runners have ended; must be empty. */
export async function faultsLeft(stage: Stage): Promise<readonly string[]> {
  const { source, target } = stage;
  const left = [...(await leftovers(stage)).map((what) => `left behind: ${what}`)];
  const run = await stage.verb(['run', '--until-caught-up']);
  if (run.exitCode !== 0) left.push(`the last run ended with ${run.exitCode}: ${run.stderr}`);
  left.push(...(await differingRows(source.database, target.database, ...TABLES, 'public.beat')));
  const counted = (await target.database.query(APPLIED))[0];
  if (counted?.['lines'] !== counted?.['applied'] || counted?.['lines'] !== counted?.['keys']) left.push(`applied once: ${JSON.stringify(counted)}`);
  return left;
}

/** Backends end a moment after their clients. */
async function leftovers({ source, target }: Stage): Promise<readonly string[]> {
  const found: { list: readonly string[] } = { list: [] };
  const isClean = async (): Promise<boolean> => {
    const rows = [...(await source.database.query(LEFTOVERS)), ...(await target.database.query(LEFTOVERS))];
    found.list = rows.map((row) => String(row['what']));
    return rows.length === 0;
  };
  await waitUntil('nothing is left behind', isClean, { timeoutMs: 90_000, everyMs: 500 }).catch(() => false);
  return found.list;
}
