import { tableIdent } from '../../../sql/quote.ts';
import { sql } from '../../../sql/sql.ts';
import { type ConflictRule, recordsBefore } from '../../../plan/conflict-rule.ts';
import type { MasterStatements } from '../../../plan/plan-masters.ts';
import type { UniqueRule } from '../../../plan/unique-rule.ts';
import type { TableSchema } from '../../../plan/schema-lock.ts';
import type { ApplyTarget } from './apply.sql.ts';
import { decideStatements } from './masters-decide.sql.ts';
import { copyMasterRows, copyUnsettledRows, fewMasterRows, rowsOfKeys } from './masters-read.sql.ts';
import { meetStatements } from './masters-meet.sql.ts';
import { clashStatements } from './masters-unique.sql.ts';
import { commonStatements } from './masters-common.sql.ts';
import { exceptionStatements } from './masters-exceptions.sql.ts';
import { masterWrites } from './masters-write.sql.ts';
import { masterVerifyStatements } from './verify-masters.sql.ts';

/** A table of a multi-master sync; every member has it alike. `memberCount`, in a ring of all its databases, says whether what is received is carried on. */
export type MasterTarget = ApplyTarget & {
  readonly memberCount: number;
  readonly isRing: boolean;
  /** The members in the order of the sync. */
  readonly databases: readonly string[];
  readonly rule: ConflictRule;
  readonly unique: UniqueRule | null;
  /** Columns of which no record shows the values. */
  readonly mask: readonly string[];
  /** The sync has a handler of exceptions, of this table or of another. */
  readonly isAsked: boolean;
};

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
