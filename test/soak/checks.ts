import { differingRows } from '../support/compare.ts';
import { waitUntil } from '../support/wait.ts';
import type { Side, Stage } from './stage.ts';
import { LEFTOVERS } from './texts.sql.ts';

/** What runners that have ended left in the databases; backends end a moment after their clients. */
export async function leftBehind({ sides }: Stage): Promise<readonly string[]> {
  const found: { list: readonly string[] } = { list: [] };
  const isClean = async (): Promise<boolean> => {
    const lists = await Promise.all(Object.values(sides).map(({ database }) => database.query(LEFTOVERS)));
    found.list = lists.flat().map((row) => `left behind: ${String(row['what'])}`);
    return found.list.length === 0;
  };
  await waitUntil('nothing is left behind', isClean, { timeoutMs: 90_000, everyMs: 500 }).catch(() => false);
  return found.list;
}

/** A last run must come to its end. */
export async function carriedLeft(stage: Stage): Promise<readonly string[]> {
  const run = await stage.verb(['run', '--until-caught-up']);
  return run.exitCode === 0 ? [] : [`the last run ended with ${run.exitCode}: ${run.stderr}`];
}

/** Every database beside the first one. */
export async function differencesLeft([first, ...others]: readonly Side[], tables: readonly string[]): Promise<readonly string[]> {
  const lists: string[] = [];
  for (const other of first ? others : []) if (first) lists.push(...(await differingRows(first.database, other.database, ...tables)));
  return lists;
}
