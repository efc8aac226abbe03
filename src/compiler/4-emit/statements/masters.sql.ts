import { tableIdent } from '../../../sql/quote.ts';
import { sql } from '../../../sql/sql.ts';
import { recordsBefore } from '../../../plan/conflict-rule.ts';
import type { MasterStatements } from '../../../plan/plan-masters.ts';
import type { TableSchema } from '../../../plan/schema-lock.ts';
import { decideStatements } from './masters-decide.sql.ts';
import { copyMasterRows, copyUnsettledRows, fewMasterRows, rowsOfKeys } from './masters-read.sql.ts';
import { meetStatements } from './masters-meet.sql.ts';
import { clashStatements } from './masters-unique.sql.ts';
import { commonStatements } from './masters-common.sql.ts';
import { exceptionStatements } from './masters-exceptions.sql.ts';
import { masterWrites } from './masters-write.sql.ts';
import { masterVerifyStatements } from './verify-masters.sql.ts';
import type { MasterTarget } from './master-target.ts';

/** For a sync with a handler of exceptions: the members' tables where this table has one, else null. */
export type ExceptionTarget = { readonly tables: Readonly<Record<string, TableSchema>> | null };

/**
 * Purpose: what a round of a multi-master sync does with one table, on any member.
 * Reads: the table, its delta table, temporary tables. Writes: the table, its delta table, temporary tables. Called by: `emitSync`.
 */
export function masterStatements(at: MasterTarget, sync: string, exceptions: ExceptionTarget | null): Omit<MasterStatements, 'readers'> {
  return {
    lock: sql`lock table ${tableIdent(at.table.source)} in share row exclusive mode`.text,
    meet: meetStatements(at, sync),
    rowsOfKeys: rowsOfKeys(at).text,
    rows: fewMasterRows(at, sync).text,
    copyChanged: copyMasterRows(at, sync).text,
    copyUnsettled: copyUnsettledRows(at, sync).text,
    decide: decideStatements(at, sync),
    write: masterWrites(at, sync),
    clashes: at.unique === null ? null : clashStatements(at, sync),
    ...(exceptions === null ? {} : { exceptions: exceptionStatements(at, sync, exceptions.tables) }),
    ...(recordsBefore(at.rule) ? { common: commonStatements(at, sync) } : {}),
    verify: masterVerifyStatements(at, sync),
  };
}
