import type { CopyMethod, CopyStatements, PlanCopyRoute } from '../../../plan/plan-full-copy.ts';
import { tableIdent } from '../../../sql/quote.ts';
import { dangerousRaw, join, type Sql, sql } from '../../../sql/sql.ts';
import { type ApplyTarget, names, targetRows } from './apply.sql.ts';
import { copyAll } from './read.sql.ts';
import { finishNew, newTable, shapeNew, swapNew } from './swap.sql.ts';

/**
 * Purpose: replaces all rows of a target table by those of the source.
 * Reads: the source's table or view. Writes: the target table, or a new one beside it. Called by: `emitFullCopy`.
 *
 * Rows that go into a table that was created or truncated in the same transaction are frozen: a reader whose snapshot is older sees them
 * at once, where otherwise it would see an empty table, and no vacuum has to come by for them.
 */
export function copyStatements(at: ApplyTarget, method: CopyMethod): Pick<CopyStatements, 'copyFormat' | 'create' | 'copyAll' | 'load' | 'finish'> {
  const { table, copyFormat } = at;
  const isFrozen = method === 'swap' || (method === 'truncate' && at.target.kind === 'table');
  const options = isFrozen ? `${copyFormat}, freeze` : copyFormat;
  const into = method === 'swap' ? newTable(table.targetName) : tableIdent(table.targetName);
  return {
    copyFormat,
    create: method === 'swap' ? shapeNew(table.targetName).text : null,
    copyAll: copyAll(table, dangerousRaw(`to stdout (format ${copyFormat})`)).text,
    load: sql`copy ${into} (${names(table)}) from stdin (format ${dangerousRaw(options)})`.text,
    finish: method === 'swap' ? finishNew(table.targetName).text : null,
  };
}

/** What is done to all tables of the group at once. Writers are kept out, so that the target is what the source was; readers only where there is no other way. */
export function groupStatements(group: readonly ApplyTarget[], method: CopyMethod): Pick<PlanCopyRoute, 'lock' | 'clear' | 'swap'> {
  const all = join(group.map(targetRows), ', ');
  switch (method) {
    case 'delete':
      return { lock: lockTables(all, 'exclusive'), clear: group.map((at) => sql`delete from ${targetRows(at)}`.text), swap: null };
    case 'changed-only':
      return { lock: lockTables(all, 'exclusive'), clear: [], swap: null };
    case 'truncate':
      return { lock: lockTables(all, 'access exclusive'), clear: [sql`truncate table ${all}`.text], swap: null };
    case 'swap':
      return {
        lock: null,
        clear: [],
        swap: join([dangerousRaw(`${lockTables(all, 'access exclusive')};`), ...group.map(({ table }) => swapNew(table.targetName))], '\n').text,
      };
  }
}

function lockTables(tables: Sql, mode: string): string {
  return sql`lock table ${tables} in ${dangerousRaw(mode)} mode`.text;
}
