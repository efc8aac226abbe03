import { dangerousRaw, type Sql, sql } from '../../../sql/sql.ts';
import type { ModelTable } from '../../2-model/model.ts';
import { deltaIdent, pendingCondition } from './pending.sql.ts';

/**
 * Purpose: whether a table of a sync has pending changes, and of what kind. Between masters a TRUNCATE is its keys; where
 * truncated rows stay it is nothing.
 * Reads: its delta table. Writes: nothing. Called by: `emitSync`.
 */
export function countPending(sync: string, { table, ordinal }: { table: ModelTable; ordinal: number }): Sql {
  const { takesTruncate } = table;
  const condition = takesTruncate
    ? pendingCondition(sync, 'd')
    : sql`${pendingCondition(sync, 'd')}
  and d.change_op <> 'T'`;
  return sql`
    select ${dangerousRaw(String(ordinal))} as ordinal, count(*) + coalesce(sum(d.change_bulk - 1), 0) as entries,
      bool_and(d.change_op in ('I', 'B')) as inserts,
      ${takesTruncate ? dangerousRaw("bool_or(d.change_op = 'T')") : dangerousRaw('false')} as truncated, min(d.change_at) as oldest
    from ${deltaIdent(table)} as d
    where ${condition}
    having count(*) > 0
  `;
}
