import { mostNames } from '../../../conflict/change-names.ts';
import type { ConflictRule } from '../../../plan/conflict-rule.ts';
import { dangerousRaw, join, type Sql, sql } from '../../../sql/sql.ts';

/** Only among three and more are rows relayed. */
export function hasNames(memberCount: number): boolean {
  return memberCount > 2;
}

/**
 * Purpose: joins entries (alias `d`) with the members (alias `a`) that they are pending for; the same for the report of what is pending
 * and for the rows that are delivered.
 * Reads: settings. Writes: nothing. Called by: `masters-read.sql.ts`, `masters-meet.sql.ts`.
 *
 * Among three and more an entry of a round names the change that its row came with: number of a history, transaction there. It is not
 * for a member that has seen that change, or made it, though it has not seen the entry.
 */
export function pendingTargets(memberCount: number): Sql {
  return sql`
    join (
      select a.bit, a.xmax::xid8 as xmax, a.xip::xid8[] as xip, a.extra::xid8[] as extra
      from json_to_recordset((select current_setting('sarrio.targets')::json)) as a (bit integer, xmax text, xip text, extra text)
      offset 0
    ) as a on ${pendingFor(memberCount)}
  `;
}

/** Whether an entry (alias `d`) is pending for a member (alias `a`). */
export function pendingFor(memberCount: number): Sql {
  const byPosition = sql`(d.change_xid >= a.xmax or d.change_xid = any (a.xip)) and d.change_xid <> all (a.extra)`;
  const byName = sql`
    (d.change_origin is null or not exists (
      ${seen}
    ))
  `;
  return join(hasNames(memberCount) ? [byPosition, byName] : [byPosition], '\n  and ');
}

const seen = sql`
  select
  from (
    select k.bit, k.origin, k.since::xid8 as since, k.xmax::xid8 as xmax, k.xip::xid8[] as xip, k.extra::xid8[] as extra
    from json_to_recordset((select current_setting('sarrio.known')::json))
      as k (bit integer, origin bigint, since text, xmax text, xip text, extra text)
    offset 0
  ) as k
  where k.bit = a.bit and k.origin = d.change_origin and d.change_origin_xid >= k.since
    and ((d.change_origin_xid < k.xmax and d.change_origin_xid <> all (k.xip)) or d.change_origin_xid = any (k.extra))
`;

/**
 * The changes that the entries of a key stand for, each once, as a column to be aggregated (`of`) and one to be given on (`given`). A
 * change whose origin the sync does not know came into it here. More than some names are none: an entry that names nothing is pending
 * for all who have not seen it.
 */
export function namesOfEntries({ memberCount, rule }: { readonly memberCount: number; readonly rule: ConflictRule }): {
  readonly of: Sql;
  readonly given: Sql;
} {
  if (!hasNames(memberCount)) return { of: dangerousRaw(''), given: sql`null::text[] as sarrio_names` };
  const isKnown = "d.change_origin = any ((select current_setting('sarrio.origins')::bigint[])::bigint[])";
  const name = `case when ${isKnown} then concat(d.change_origin, ':', d.change_origin_xid) else concat((select current_setting('sarrio.origin')), ':', d.change_xid) end`;
  return {
    of: dangerousRaw(`,\n  array_agg(distinct ${name} collate "C") as sarrio_names`),
    given: sql`case when cardinality(p.sarrio_names) <= ${dangerousRaw(String(mostNames(rule)))} then p.sarrio_names end as sarrio_names`,
  };
}
