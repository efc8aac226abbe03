import { literal } from '../../../sql/quote.ts';
import { type Sql, sql } from '../../../sql/sql.ts';
import { pendingFor } from './masters-names.sql.ts';

/**
 * Purpose: what entries (alias `d`) say of the changes that made a row, for tables whose rule merges.
 * Reads: settings. Writes: nothing. Called by: `masters-read.sql.ts`, `masters-meet.sql.ts`.
 *
 * Each entry once, so that what it says can be counted: whom it is pending for as bits (`a.bit`), and the changes that it carries (`e`).
 */
export function recordedTargets(memberCount: number, sync: string): Sql {
  return sql`
    cross join lateral (
      select bit_or(a.bit) as bit
      from (
        select a.bit, a.xmax::xid8 as xmax, a.xip::xid8[] as xip, a.extra::xid8[] as extra
        from json_to_recordset((select current_setting('sarrio.targets')::json)) as a (bit integer, xmax text, xip text, extra text)
        offset 0
      ) as a
      where ${pendingFor(memberCount)}
    ) as a
    left join lateral jsonb_array_elements(d.change_carried -> ${literal(sync)}) as e (changes) on true
    where a.bit is not null
  `;
}

/** All changes of a key: the entries that are changes of this member in one group, since some may be of one transaction, and what was brought. */
export function changesOfKey(sync: string): Sql {
  return sql`
    jsonb_build_array(coalesce(
      jsonb_agg(jsonb_build_array(
        (select current_setting('sarrio.member')::integer), d.change_xid::text,
        case when d.change_op = 'U' then to_jsonb(d.change_columns) end, case when d.change_op = 'U' then d.change_amounts end
      )) filter (where d.change_carried -> ${literal(sync)} is null),
      '[]'
    )) || coalesce(jsonb_agg(e.changes) filter (where e.changes is not null), '[]')
  `;
}
