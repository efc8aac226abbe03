import { dangerousRaw, type Sql, sql } from '../../../sql/sql.ts';
import type { ModelSync, ModelTable } from '../../2-model/model.ts';
import { deltaIdent, pendingCondition } from './pending.sql.ts';

/**
 * Purpose: whether a table of a sync has pending changes, and of what kind.
 * Reads: its delta table. Writes: nothing. Called by: `emitSync`.
 */
export function countPending(sync: ModelSync, { table, ordinal }: { table: ModelTable; ordinal: number }): Sql {
  return sql`
    select ${dangerousRaw(String(ordinal))} as ordinal, count(*) + coalesce(sum(d.change_bulk - 1), 0) as entries,
      bool_and(d.change_op in ('I', 'B')) as inserts,
      bool_or(d.change_op = 'T') as truncated, min(d.change_at) as oldest
    from ${deltaIdent(table)} as d
    where ${pendingCondition(sync.name, 'd')}
    having count(*) > 0
  `;
}
