import type { PlanMasterTable } from '../../../plan/plan.ts';
import { sqlState } from '../../postgres/connection-failure.ts';
import type { Session } from '../../postgres/session.ts';
import { commitApply, markFilled, rollbackApply, wakeReader } from '../target.sql.ts';
import { beginWriting, nowMicros } from './conflicts.sql.ts';

export type Values = Readonly<Record<string, string | null>>;

/** Columns by name, and `sarrio_present`: false deletes the row. */
export type NewRow = Readonly<Record<string, string | boolean | null>>;

export type Writing = {
  readonly key: Values;
  /** What is to stand under the key, made of what does; null: that stays. What it throws is thrown, and nothing is written. */
  readonly row: (current: Values | null) => NewRow | null;
  /** Has failed when the server does not commit. */
  readonly what: string;
};

/** So often somebody else may change the row in between. */
const TRIES = 10;

/**
 * Writes one row as a change of an application with the time of now. Looked at and written in one transaction with one snapshot: who changes the
 * row after that makes the writing fail (40001), and then it is looked at again. So nothing is written over what nobody has looked at.
 *
 * @returns Whether it was written.
 */
export async function writeRow(session: Session, table: PlanMasterTable, writing: Writing): Promise<boolean> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await writeOnce(session, table, writing);
    } catch (error) {
      if (session.isOpen()) await session.query(rollbackApply);
      if (sqlState(error) !== '40001' || tries === TRIES) throw error;
    }
  }
}

async function writeOnce(session: Session, table: PlanMasterTable, { key, row: made, what }: Writing): Promise<boolean> {
  const [, answer, clock] = await session.batch([
    { text: beginWriting },
    { text: table.masters.rowsOfKeys, values: [JSON.stringify([table.key.map((name) => key[name] ?? null)])] },
    { text: nowMicros },
  ]);
  const [isPresent, ...values] = answer?.lists[0] ?? [];
  const row = made(isPresent === 't' ? Object.fromEntries(table.columns.map(({ name }, index) => [name, values[index] ?? null])) : null);
  if (row === null) {
    await session.query(rollbackApply);
    return false;
  }
  const now = clock?.lists[0]?.[0] ?? '0';
  const json = JSON.stringify([{ sarrio_present: true, ...row, sarrio_at: now, sarrio_fresh: true, sarrio_settled: true, sarrio_skip: false }]);
  const { entriesOfRows, mergeRows, deleteRows, insertRows } = table.masters.write;
  const readers = [...(table.masters.readers[session.database] ?? [])];
  const texts = mergeRows === null ? [entriesOfRows, deleteRows, insertRows] : [entriesOfRows, mergeRows];
  await session.batch([
    ...texts.map((text) => ({ text, values: [json] })),
    { text: markFilled, values: [table.filled] },
    ...readers.map(({ sync, sequence }) => ({ text: wakeReader, values: [sync, sequence] })),
  ]);
  const [committed] = await session.batch([{ text: commitApply }]);
  if (committed?.command !== 'COMMIT') throw new Error(`${what}: the server answered COMMIT with ROLLBACK`);
  return true;
}
