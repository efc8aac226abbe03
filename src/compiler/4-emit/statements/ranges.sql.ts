import type { RangeReadStatements } from '../../../plan/plan-copy.ts';
import { literal, tableIdent } from '../../../sql/quote.ts';
import { dangerousRaw, join, sql } from '../../../sql/sql.ts';
import { type ApplyTarget, insertFrom, refusesTwice, stageIdent } from './apply.sql.ts';
import { columnOf, currentRows } from './pending.sql.ts';

/**
 * Purpose: an initial copy in ranges of the source table's blocks.
 * Reads: the table, the session's stage table. Writes: the target table. Called by: `emitRoute`.
 *
 * Of a partitioned table a range is the same blocks of every partition. A row that was not changed stays in its block, so ranges of one snapshot hold each row once, and those of several snapshots each row
 * that was not changed since the first of them.
 */
export function rangeReads({ table, copyFormat }: ApplyTarget): RangeReadStatements {
  const to = dangerousRaw(`to stdout (format ${copyFormat})`);
  const columns = table.columns.map(columnOf);
  const rows = currentRows(
    table,
    sql`r.ctid >= format('(%s,0)', current_setting('sarrio.first_block'))::tid and r.ctid < format('(%s,0)', current_setting('sarrio.end_block'))::tid`,
  );
  return {
    rows: sql`
      copy (
        select ${join(columns)}
        from ${rows} as t
      ) ${to}
    `.text,
    staged: sql`
      copy (
        select ${join([sql`true as sarrio_present`, ...columns])}
        from ${rows} as t
      ) ${to}
    `.text,
  };
}

/** Without an arbiter, whatever index a row clashes in: such a row was changed after the first snapshot, and its change is pending. */
export function insertFree(at: ApplyTarget): string {
  return sql`
    ${insertFrom(at, sql`${stageIdent(at.table)} as s`, dangerousRaw(''))}
    on conflict do nothing
  `.text;
}

/** A deferrable index is no arbiter; where there is one, the table is copied as a whole. */
export function mayBeRanges(at: ApplyTarget): boolean {
  const { table, target } = at;
  return (table.source.kind === 'table' || table.source.kind === 'partitioned') && refusesTwice(at) && target.keys.every(({ deferrable }) => !deferrable);
}

/** $1: sync, $2: source, $3: display name of the table. The function stands in the target's own SQL file. */
export function setIndexesAside({ table }: ApplyTarget): string {
  return sql`select sarrio.set_indexes_aside(${literal(tableIdent(table.targetName).text)}::regclass, $1, $2, $3)::text as taken`.text;
}
