import type { ChangedStatements } from '../../../plan/plan-full-copy.ts';
import { ident, tableIdent } from '../../../sql/quote.ts';
import { dangerousRaw, join, type Sql, sql } from '../../../sql/sql.ts';
import { objectNames } from '../../2-model/object-names.ts';
import { columnsOf, sameTargetKey, targetRows } from './apply.sql.ts';
import { changedRuns } from './changed-runs.sql.ts';
import { currentRows } from './pending.sql.ts';
import { columns } from './read.sql.ts';
import { hashSide } from './verify-hashes.sql.ts';
import { keyNames, sourceColumns, sumBuckets, targetColumns, type VerifyTarget } from './verify.sql.ts';

/** A power of two. Of five million rows one of a thousand may differ, anywhere: then thirteen of fourteen buckets still need not be sent. */
const BUCKETS = 65_536;

/**
 * Purpose: replaces only what differs: both sides are summed up by hashes of key ranges, and the rows of those that differ are sent.
 * Reads: the table on both sides. Writes: the target table, a temporary table of its. Called by: `emitFullCopy`.
 *
 * Both sides hash alike (see `verify-hashes.sql.ts`). A row that is there already, byte for byte, is not touched; of any other the old
 * version goes before the new one comes, so that values of a unique column can change places. Bytes are compared instead of texts: a wide
 * row takes 2 us to be written as text, and the few values that have several forms with one text are written again at worst.
 */
export function changedStatements(at: VerifyTarget): ChangedStatements {
  const source = hashSide({ rows: currentRows(at.table), columns: sourceColumns(at), key: keyNames(at) }, at.sameEncoding, BUCKETS - 1);
  const target = hashSide({ rows: targetRows(at), columns: targetColumns(at), key: keyNames(at) }, at.sameEncoding, BUCKETS - 1);
  const stage = stageIdent(at);
  const listed = list(at);
  const overriding = columnsOf(at).some(({ identity }) => identity !== 'none') ? '\noverriding system value' : '';
  const isSame = sql`
    exists (
      select from ${stage} as s
      where ${sameTargetKey(at)} and row(${list(at, 't')})::record *= row(${list(at, 's')})::record
    )
  `;
  return {
    buckets: BUCKETS,
    sumSource: sumBuckets(source).text,
    sumTarget: sumBuckets(target).text,
    copyRows: sql`
      copy (
        select ${columns(at.table)}
        from ${source.rows} as t
        where ${source.isWanted}
      ) to stdout (format ${dangerousRaw(at.copyFormat)})
    `.text,
    createStage: sql`
      create temporary table ${stage} on commit drop as
      select ${listed}
      from ${tableIdent(at.table.targetName)}
      with no data
    `.text,
    loadStage: sql`copy ${stage} (${listed}) from stdin (format ${dangerousRaw(at.copyFormat)})`.text,
    analyzeStage: sql`analyze ${stage}`.text,
    deleteDiffering: sql`
      delete from ${targetRows(at)} as t
      where ${target.isWanted}
        and not ${isSame}
    `.text,
    insertMissing: sql`
      insert into ${tableIdent(at.table.targetName)} (${listed})${dangerousRaw(overriding)}
      select ${list(at, 's')}
      from ${stage} as s
      where not exists (select from ${targetRows(at)} as t where ${sameTargetKey(at)})
    `.text,
    runs: changedRuns(at, { source, target }, isSame),
  };
}

function list(at: VerifyTarget, alias?: string): Sql {
  return join(
    columnsOf(at).map(({ name }) => (alias === undefined ? ident(name) : ident(alias, name))),
    ', ',
  );
}

function stageIdent({ table }: VerifyTarget): Sql {
  return ident('pg_temp', objectNames(table.targetName).delta.replace(/^delta_/, 'copy_'));
}
