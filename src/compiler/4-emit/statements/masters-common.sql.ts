import { ident, literal } from '../../../sql/quote.ts';
import { dangerousRaw, empty, join, type Sql, sql } from '../../../sql/sql.ts';
import type { CommonStatements } from '../../../plan/plan-masters.ts';
import { recordsBefore } from '../../../plan/conflict-rule.ts';
import { rowLayout } from '../../2-model/row-layout.ts';
import { columnsOf } from './apply.sql.ts';
import { hasNames, pendingTargets } from './masters-names.sql.ts';
import { pendingByKey } from './masters-pending.sql.ts';
import { wantedKeys } from './masters-read.sql.ts';
import { sameKey } from './pending.sql.ts';
import type { MasterTarget } from './master-target.ts';

/**
 * Purpose: of which row a member's changes were made that others have not seen, for tables whose handler asks for the last common row.
 * Reads: the table's delta table. Writes: nothing. Called by: `masterStatements`, `masters-write.sql.ts`.
 *
 * Texts begin with a time of this server, so that the least is the earliest: what stood there before the first of the changes. After it
 * `-` says that nothing stood there, and `?` that nobody has kept it: a change that was captured otherwise, or made by TRUNCATE.
 */
export function commonStatements(at: MasterTarget, sync: string): CommonStatements {
  const { table, memberCount } = at;
  const stamp = `lpad((extract(epoch from d.change_at) * 1000000)::bigint::text, 16, '0')`;
  const before = `coalesce(d.change_before, case d.change_op when 'I' then concat(${stamp}, '-') else '${UNKNOWN}' end)`;
  const bits = Array.from({ length: memberCount }, (_, index) => dangerousRaw(`min(${before} collate "C") filter (where a.bit = ${2 ** index})`));
  const of = sql`json_build_array(${join(bits, ', ')})::text as sarrio_befores`;
  return {
    layout: rowLayout(columnsOf(at)),
    befores: sql`
      select d.sarrio_befores
      from (
        ${wantedKeys(table, '$1')}
      ) as p
      left join (
        ${pendingByKey(table, sync, { of, from: pendingTargets(memberCount), hasNames: hasNames(memberCount), isBefore: true })}
      ) as d on ${sameKey(table, 'd', 'p')}
      order by p.place
    `.text,
  };
}

/** Before all times: when that change was made among the others nobody can tell. */
const UNKNOWN = `${'0'.repeat(16)}?`;

/** What an entry of a round says of the row (alias `t`, perhaps none) that stands here before it is written. */
export function beforeOfEntry(at: MasterTarget): { readonly columns: Sql; readonly values: Sql } {
  if (!recordsBefore(at.rule)) return { columns: empty, values: empty };
  const columns = columnsOf(at);
  const record = sql`row(${join([literal(rowLayout(columns)), ...columns.map(({ name }) => ident('t', name))], ', ')})::text`;
  return {
    columns: dangerousRaw(', change_before'),
    values: sql`,
      concat(lpad((extract(epoch from clock_timestamp()) * 1000000)::bigint::text, 16, '0'), case when t.tableoid is not null then ${record} else '-' end)`,
  };
}
