import type { Plan } from '../../../plan/plan.ts';
import type { QualifiedName } from '../../../sql/quote.ts';
import { plannedTables } from '../../5-inspect/plan-tables.ts';
import type { Clock } from '../../clock.ts';
import type { Session } from '../../postgres/session.ts';
import { HEALTH } from './doctor.sql.ts';

/** A table of the plan, or a partition of one. */
export type TableHealth = QualifiedName & {
  readonly persistence: string;
  readonly isParent: boolean;
  readonly live: number;
  readonly dead: number;
  readonly noVacuum: boolean;
  readonly noIdentity: boolean;
  /** Publications of its updates or deletes, and subscriptions that write to it. */
  readonly published: readonly string[];
  readonly subscribed: readonly string[];
};

export type Health = {
  readonly tables: readonly TableHealth[];
  /** Publications that our own tables are in. */
  readonly publications: readonly string[];
  /** Transactions of more than an hour. */
  readonly transactions: readonly { readonly who: string; readonly seconds: number; readonly cure: string }[];
  /** The server's clock against this machine's running time: comparable between servers asked by one process. */
  readonly clockMs: number;
  /** Half of the way there and back: so much of `clockMs` is not known. */
  readonly clockErrorMs: number;
};

/** One query. */
export async function readHealth(plan: Plan, session: Session, clock: Clock): Promise<Health> {
  const wanted = plannedTables(plan, session.database).map(({ table: { schema, name } }) => ({ schema, name }));
  const start = clock.now();
  const row = (await session.query(HEALTH, [JSON.stringify(wanted)])).rows[0] ?? {};
  const end = clock.now();
  const list = <Item>(column: string): readonly Item[] => JSON.parse(row[column] ?? '[]') as readonly Item[];
  return {
    tables: list('tables'),
    publications: list('publications'),
    transactions: list('transactions'),
    clockMs: Number(row['now']) - (start + end) / 2,
    clockErrorMs: (end - start) / 2,
  };
}
