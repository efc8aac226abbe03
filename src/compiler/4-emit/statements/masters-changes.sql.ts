import { literal } from '../../../sql/quote.ts';
import { recordedFor } from '../../../plan/conflict-rule.ts';
import { dangerousRaw, empty, join, type Sql, sql } from '../../../sql/sql.ts';
import { columnsOf } from './apply.sql.ts';
import { pendingFor } from './masters-names.sql.ts';
import { keyList, lastChange, pendingByKey } from './masters-pending.sql.ts';
import type { MasterTarget } from './master-target.ts';

/**
 * Purpose: what entries (alias `d`) say of the changes that made a row, for tables whose rule merges.
 * Reads: settings. Writes: nothing. Called by: `masters-read.sql.ts`, `masters-meet.sql.ts`, `masters-merged.sql.ts`.
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

/**
 * One row for each pending key: as `pendingByKey`, with what its changes did. Entries of one transaction are one change. `cut`: the row has
 * nothing in common with what it was; `odd`: entries that carry changes of others, of whom nobody here knows.
 */
export function pendingChanges(at: MasterTarget, sync: string): Sql {
  const { table, rule } = at;
  const counters = recordedFor(rule)?.counters ?? [];
  const own = sql`d.change_carried -> ${literal(sync)} is null`;
  const uncounted = counters.map((name) => sql`d.change_amounts ->> ${literal(name)} is null`);
  const isUncounted = uncounted.length === 0 ? empty : sql` or (cardinality(d.change_columns) > 0 and (${join(uncounted, ' or ')}))`;
  const isOld = sql`d.change_xid < (select coalesce(max(w.copied_xid::text::bigint), 0)::text::xid8 from sarrio.watermark as w where w.sync = ${literal(sync)})`;
  const amounts = counters.map((name) => sql`coalesce(sum((d.change_amounts ->> ${literal(name)})::numeric) filter (where ${own}), 0)`);
  const changed = columnsOf(at).map(({ name }) => sql`coalesce(bool_or(${literal(name)} = any (d.change_columns)) filter (where ${own}), false)`);
  const places = columnsOf(at).map((_, place) => sql`bool_or(d.sarrio_changed[${dangerousRaw(String(place + 1))}])`);
  const sums = counters.map((_, place) => sql`sum(d.sarrio_amounts[${dangerousRaw(String(place + 1))}])`);
  const adds = counters.map((_, place) => sql`d.sarrio_amounts[${dangerousRaw(String(place + 1))}] <> 0`);
  const of = sql`max(d.change_at) as change_at, bool_or(d.change_op = 'I') as sarrio_insert,
      coalesce(bool_or(d.change_op <> 'U' or d.change_columns is null or ${isOld}${isUncounted}) filter (where ${own}), false) as sarrio_cut,
      coalesce(bool_or(d.change_carried -> ${literal(sync)} <> '[]'), false) as sarrio_odd,
      array[${join(amounts, ', ')}]::numeric[] as sarrio_amounts, array[${join(changed, ', ')}]::boolean[] as sarrio_changed`;
  return sql`
    select ${keyList(table, 'd')}, ${lastChange(at)} as sarrio_at, bool_or(d.sarrio_insert) as sarrio_insert, bool_or(d.sarrio_cut) as sarrio_cut,
      ${adds.length === 0 ? dangerousRaw('false') : sql`coalesce(bool_or(${join(adds, ' or ')}), false)`} as sarrio_adds, bool_or(d.sarrio_odd) as sarrio_odd,
      array[${join(sums, ', ')}]::numeric[] as sarrio_amounts, array[${join(places, ', ')}]::boolean[] as sarrio_changed
    from (
      ${pendingByKey(table, sync, { of, from: empty, hasNames: false, isRecorded: true, isByTransaction: true })}
    ) as d
    group by ${keyList(table, 'd')}
  `;
}
