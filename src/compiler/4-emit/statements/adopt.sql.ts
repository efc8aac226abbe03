import type { AdoptStatements } from '../../../plan/plan-verify.ts';
import { sql } from '../../../sql/sql.ts';
import { type ApplyTarget, stageIdent } from './apply.sql.ts';
import { differingIdent, keyNames, list } from './verify.sql.ts';

/**
 * Purpose: adopting rows that a target holds before its initial copy.
 * Reads, writes: the table of differences of `verify.sql.ts`, the stage table of rounds. Called by: `emitRoute`.
 *
 * Rows that only the target has become absent ones of the stage, and are no differences any more whose rows the source would be asked for.
 * Much more may differ here than in a table that was followed: its keys are read in pages by an index, whose order the planner has to know.
 */
export function adoptStatements(at: ApplyTarget): AdoptStatements {
  const differing = differingIdent(at);
  return {
    ...(at.table.gone === 'kept' ? {} : { stageSurplus: stageSurplus(at) }),
    indexDifferences: sql`
      create index on ${differing} (sarrio_number);
      analyze ${differing}
    `.text,
  };
}

function stageSurplus(at: ApplyTarget): string {
  const keys = keyNames(at);
  return sql`
    with surplus as (
      delete from ${differingIdent(at)} as d
      where d.sarrio_kind = 'extra'
      returning ${list(keys, 'd')}
    )
    insert into ${stageIdent(at.table)} (sarrio_present, ${list(keys)})
    select false, ${list(keys, 'p')}
    from surplus as p
  `.text;
}
