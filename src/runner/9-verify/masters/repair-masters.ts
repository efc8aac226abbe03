import type { Failpoint } from '../../failpoint.ts';
import type { Session } from '../../postgres/session.ts';
import { markFilled, wakeReader } from '../../8-round/target.sql.ts';
import { beginRepair, commitCompare, rollback } from '../verify.sql.ts';
import { setMember } from './masters.sql.ts';
import type { Party } from './party.ts';
import type { MastersTable } from './select-masters.ts';

/** A compared table whose differences stand in a session of the member whose rows are right. */
export type MastersRepair = {
  readonly table: MastersTable;
  readonly from: Party;
  readonly place: Session;
  /** When it was compared: what anybody has changed since is later than this. */
  readonly at: string;
  readonly failpoint: Failpoint;
};

/**
 * Makes the rows of one member changes of its own, as of the comparison. No row is written here: the next round brings what stands there
 * by then to everybody, under its fence, with its entries and records; who has changed one of these keys since is in conflict with it,
 * and the table's rule decides. So nothing can be overwritten that this comparison did not see.
 *
 * @returns Number of keys.
 */
export async function repairMasters({ table, from, place, at, failpoint }: MastersRepair): Promise<number> {
  const { masters, filled } = table.table;
  await failpoint('repair.before-begin');
  try {
    await place.query(beginRepair);
    await place.batch([setMember(from.index)]);
    const { count } = await place.query(masters.verify.recordEntries, [at]);
    await place.query(markFilled, [filled]);
    await place.query(wakeReader, [table.sync, table.planned.wake]);
    await failpoint('repair.before-commit');
    const { command } = await place.query(commitCompare);
    if (command !== 'COMMIT') throw new Error('the server answered COMMIT with ROLLBACK');
    return count;
  } catch (error) {
    if (place.isOpen()) await place.query(rollback).catch(() => place.destroy());
    throw error;
  }
}
