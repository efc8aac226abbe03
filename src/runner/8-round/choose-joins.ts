import { displayName, type QualifiedName } from '../../sql/quote.ts';
import type { Session } from '../postgres/session.ts';
import { type Changes, estimatedRows, planFor } from './source.sql.ts';

/** Below this share of the table's rows, changes are looked up by key instead of by reading the table. */
const FEW_SHARE = 0.02;

type Joining = { readonly table: QualifiedName; readonly entries: number; readonly many?: Changes };

/** For the rest of the transaction: whether so many changes are joined by key, or the planner has its choice. */
export async function chooseJoins(session: Pick<Session, 'query'>, { table, entries, many = 'many' }: Joining): Promise<void> {
  const row = (await session.query(estimatedRows, [displayName(table)])).rows[0];
  await session.query(planFor(entries < FEW_SHARE * Number(row?.['rows']) ? 'few' : many));
}
