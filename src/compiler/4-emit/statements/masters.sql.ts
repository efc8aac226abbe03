import type { MasterStatements } from '../../../plan/plan.ts';
import { sql } from '../../../sql/sql.ts';
import type { ApplyTarget } from './apply.sql.ts';

/** A table as every member has it. */
export type MasterTarget = ApplyTarget;

/**
 * Purpose: what a round between masters does to one table of a member. Placeholder without statements.
 * Reads, writes: nothing. Called by: `emitMasters`.
 */
export function masterStatements(_at: MasterTarget, _sync: string): Omit<MasterStatements, 'readers'> {
  const none = sql`select 1`.text;
  const meet = { report: none, copyReport: none, create: none, load: none, insert: none, insertOwn: none, analyze: none, contested: none };
  const write = {
    ...{ entriesOfRows: none, mergeRows: null, deleteRows: none, insertRows: none, createStage: none, loadStage: none, markStage: none },
    ...{ insertStage: none, analyzeStage: none, dropSettled: none, entriesOfStage: none, deleteAbsent: none, updatePresent: null },
    ...{ deleteChanged: none, insertMissing: none },
  };
  return { lock: none, meet, rowsOfKeys: none, rows: none, copyChanged: none, write };
}
