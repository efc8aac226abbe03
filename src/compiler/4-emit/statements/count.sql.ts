import { dangerousRaw, type Sql, sql } from '../../../sql/sql.ts';
import type { ModelSync, ModelTable } from '../../2-model/model.ts';
import { deltaIdent, pendingCondition } from './pending.sql.ts';

/**
 * Purpose: whether a table of a sync has pending changes, and of what kind. Between masters a TRUNCATE is its keys.
 *
 * Reads: its delta table. Writes: nothing. Called by: `emitSync`.
 */
export function countPending(sync: Pick<ModelSync, 'name' | 'mode'>, { table, ordinal }: { table: ModelTable; ordinal: number }): Sql {
  const isMaster = sync.mode === 'multi-master';
  const condition = isMaster
    ? sql`${pendingCondition(sync.name, 'd')}
  and d.change_op <> 'T'`
    : pendingCondition(sync.name, 'd');
  return sql`
    select ${dangerousRaw(String(ordinal))} as ordinal, count(*) + coalesce(sum(d.change_bulk - 1), 0) as entries,
      bool_and(d.change_op in ('I', 'B')) as inserts,
      ${isMaster ? dangerousRaw('false') : dangerousRaw("bool_or(d.change_op = 'T')")} as truncated, min(d.change_at) as oldest
    from ${deltaIdent(table)} as d
    where ${condition}
    having count(*) > 0
  `;
}
