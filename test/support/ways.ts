import { expect } from 'vitest';
import { deltaEntries } from './captured.ts';
import { type Compared, differingRows } from './compare.ts';
import type { TestDatabase } from './database.ts';
import { follow } from './follow.ts';
import { replicated } from './runner.ts';
import { waitUntil } from './wait.ts';

/** One way to change rows: the statements, and what they leave in the delta table of `public.<table>`, sorted. */
export type Way = {
  readonly title: string;
  readonly table: string;
  readonly run: string | ((source: TestDatabase) => Promise<unknown>);
  readonly leaves: readonly string[];
};

/**
 * Goes every way on one source while a runner follows: each must leave exactly these entries, and then all rows of source and target
 * must become equal, before the next is gone.
 */
export async function goEveryWay(schema: string, ways: readonly Way[], compared: readonly Compared[]): Promise<void> {
  const { source, target, project } = await replicated(schema, { compared });
  const following = follow(project);
  for (const { title, table, run, leaves } of ways) {
    const since = await nextTransaction(source);
    await (typeof run === 'string' ? source.script(run) : run(source));
    expect(await deltaEntries(source, `sarrio.delta_public_${table}`, since), title).toEqual(leaves);
    await waitUntil(`the target is equal after: ${title}`, async () => (await differingRows(source, target, ...compared)).length === 0);
  }
  expect(following.events.filter(({ kind }) => kind === 'retry')).toEqual([]);
  await following.stop();
}

/** No transaction before has this id or a later one, as long as none is under way. */
async function nextTransaction(source: TestDatabase): Promise<string> {
  const [row] = await source.query<{ xid: string }>('select pg_snapshot_xmax(pg_current_snapshot())::text as xid');
  return row?.xid ?? '0';
}
