import type { ColumnSchema } from '../../../plan/schema-lock.ts';
import { dollarQuote, ident, literal } from '../../../sql/quote.ts';
import { dangerousRaw, join, type Sql, sql } from '../../../sql/sql.ts';
import { rowLayout } from '../../2-model/row-layout.ts';
import { BULK_AFTER, bySegment, type CaptureTarget, equals, noKey, wakeWhenCaptured } from './capture.sql.ts';
import { columnsThatAre } from './recorded-update.sql.ts';
import { onlyOfSameTypes } from './same-types.sql.ts';
import { unlessApplying } from './unless-applying.sql.ts';

/** A table whose old rows are recorded. `columns`: those that rounds write. */
export type BeforeTarget = CaptureTarget & { readonly columns: readonly ColumnSchema[] };

/**
 * Purpose: for tables whose handler of conflicts asks for the last common row, the trigger function of UPDATE and DELETE: keys, and the row
 * that stood there before; old keys that no new row has, as deleted.
 * Reads: the statement's transition tables, two sequences. Writes: the delta table. Called by: the triggers `sarrio_update`, `sarrio_delete`.
 *
 * The old row is kept as the text of a record, which calls the types' own output functions and nobody's casts. So that the text does not
 * depend on the session, the function pins what decides it. How old and new rows meet, and why columns are named without a table:
 * `recorded-update.sql.ts`.
 */
export function beforeCapture(target: BeforeTarget): Sql {
  const { names, captureTriggers } = target;
  const current = literal(`sarrio.${ident(names.current).text}`);
  const nulls = noKey(names.delta, target.ownTypes);
  const body = sql`
    if tg_op operator(pg_catalog.=) 'DELETE' then
      ${bySegment('', (segment) => deleted(target, segment))}
      end if;
    else
      ${bySegment('', (segment) => updated(target, segment))}
      end if;
    end if;
    get diagnostics captured = row_count;
    if captured operator(pg_catalog.>) ${BULK_AFTER} then
      insert into ${ident('sarrio', names.delta)} (${nulls.columns}change_xid, change_at, change_op, change_segment, change_bulk)
      values (${nulls.values}pg_catalog.pg_current_xact_id(), pg_catalog.clock_timestamp(), 'B', coalesce(segment, 1), captured operator(pg_catalog.-) ${BULK_AFTER});
    end if;
    ${wakeWhenCaptured(target)}
    return null;
  `;
  const quote = dollarQuote(body.text + current.text);
  return sql`
    create or replace function ${ident('sarrio', names.captureKey)}() returns trigger
    language plpgsql
    volatile
    security definer
    set datestyle = 'ISO, YMD'
    set intervalstyle = 'postgres'
    set timezone = 'UTC'
    set extra_float_digits = 3
    set bytea_output = 'hex'
    set lc_monetary = 'C'
    as ${quote}
    #variable_conflict use_column
    declare
      segment constant pg_catalog.int8 := pg_catalog.pg_sequence_last_value(${current}::pg_catalog.regclass);
      captured pg_catalog.int8;
    begin
      ${captureTriggers === 'always' ? join([unlessApplying, body], '\n') : body}
    end
    ${quote};
    revoke all on function ${ident('sarrio', names.captureKey)}() from public;
  `;
}

function updated(target: BeforeTarget, segment: number): Sql {
  const { key } = target;
  const either = key.map(({ name }) => sql`case when changed.sarrio_is then ${ident('changed', name)} else ${ident('before', name)} end`);
  const same = join(
    key.map((column) => equals(column, ident('before', column.name), ident('changed', column.name))),
    ' and ',
  );
  return sql`
    ${head(target, segment)}
    select ${join(either, ', ')}, pg_catalog.pg_current_xact_id(), pg_catalog.clock_timestamp(),
      case when changed.sarrio_is then 'U' else 'D' end::pg_catalog."char", ${dangerousRaw(String(segment))},
      case when pg_catalog.row_number() over () operator(pg_catalog.>) ${BULK_AFTER} then 0 end,
      pg_catalog.concat(${STAMP}, case when before.sarrio_was then ${recordOf(target.columns)} else '-' end)
    from (
      select true as sarrio_was, b.*
      from old_rows as b
    ) as before
    full join (
      select true as sarrio_is, c.*
      from changed_rows as c
    ) as changed on ${same}
    cross join lateral (
      ${columnsThatAre({ ...target, counters: [] }, 'before')}
    ) as past
    where ${onlyOfSameTypes(ident('sarrio', target.names.segments[segment - 1] ?? ''), key, 'changed')};
  `;
}

function deleted(target: BeforeTarget, segment: number): Sql {
  const { key } = target;
  return sql`
    ${head(target, segment)}
    select ${join(
      key.map(({ name }) => ident('before', name)),
      ', ',
    )}, pg_catalog.pg_current_xact_id(), pg_catalog.clock_timestamp(), 'D'::pg_catalog."char", ${dangerousRaw(String(segment))},
      case when pg_catalog.row_number() over () operator(pg_catalog.>) ${BULK_AFTER} then 0 end,
      pg_catalog.concat(${STAMP}, ${recordOf(target.columns)})
    from old_rows as before
    cross join lateral (
      ${columnsThatAre({ ...target, counters: [] }, 'before')}
    ) as past
    where ${onlyOfSameTypes(ident('sarrio', target.names.segments[segment - 1] ?? ''), key, 'before')};
  `;
}

function head({ names, key }: BeforeTarget, segment: number): Sql {
  const keys = join(
    key.map(({ name }) => ident(name)),
    ', ',
  );
  return sql`insert into ${ident('sarrio', names.segments[segment - 1] ?? '')} (${keys}, change_xid, change_at, change_op, change_segment, change_bulk, change_before)`;
}

/** Microseconds since 1970, as long as texts of them are ordered as they are. */
const STAMP = dangerousRaw(
  "pg_catalog.lpad(((extract(epoch from pg_catalog.clock_timestamp()) operator(pg_catalog.*) 1000000)::pg_catalog.int8)::pg_catalog.text, 16, '0')",
);

function recordOf(columns: readonly ColumnSchema[]): Sql {
  const values = columns.map(({ name }) => ident('past', name));
  return sql`row(${join([literal(rowLayout(columns)), ...values], ', ')})::pg_catalog.text`;
}
