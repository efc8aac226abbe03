import type { GuardApplyStatements, GuardReadStatements } from '../../../plan/plan-guard.ts';
import { sql } from '../../../sql/sql.ts';
import type { ModelTable } from '../../2-model/model.ts';
import { type ApplyTarget, sameTargetKey, stageIdent, targetRows } from './apply.sql.ts';
import { pendingRows } from './read.sql.ts';

/**
 * Purpose: how many rows of a table a round would delete, and whether that is a large part of it.
 * Reads: the delta table, the table on both sides, the session's stage table. Writes: nothing. Called by: `emitRoute`.
 */
export function guardReads(table: ModelTable, sync: string): GuardReadStatements {
  return {
    gone: sql`
      select count(*) as gone
      from (
        ${pendingRows(table, sync)}
      ) as c
      where not c.sarrio_present
    `.text,
  };
}

/** The table is read up to a bound that follows from the number of deletes, so that asking costs what they cost. */
export function guardApplies(at: ApplyTarget): GuardApplyStatements {
  return {
    rows: sql`
      select count(*) as rows
      from (
        select
        from ${targetRows(at)}
        limit $1::bigint
      ) as t
    `.text,
    staged: sql`
      select count(*) as gone
      from ${targetRows(at)} as t
      where exists (
        select from ${stageIdent(at.table)} as s
        where ${sameTargetKey(at)} and not s.sarrio_present
      )
    `.text,
  };
}
