import type { Recorded } from '../../../plan/conflict-rule.ts';
import type { ColumnSchema } from '../../../plan/schema-lock.ts';
import { dollarQuote, ident, literal } from '../../../sql/quote.ts';
import { dangerousRaw, join, type Sql, sql } from '../../../sql/sql.ts';
import { BULK_AFTER, bySegment, type CaptureTarget, equals, noKey, wakeWhenCaptured } from './capture.sql.ts';
import { onlyOfSameTypes } from './same-types.sql.ts';
import { unlessApplying } from './unless-applying.sql.ts';

/** A table of which more than the key is recorded. `columns`: those that rounds write. */
export type RecordedTarget = CaptureTarget & Recorded & { readonly columns: readonly ColumnSchema[] };

/**
 * Purpose: for tables whose rule for conflicts asks for it, the trigger function of UPDATE: keys, and of each row that keeps its key the
 * names of the columns that changed and the differences of counters; old keys that no new row has, as deleted.
 * Reads: the statement's transition tables, two sequences. Writes: the delta table. Called by: the trigger `sarrio_update`.
 *
 * Old and new rows meet by the key's own equality, in a full join, which the server can only make by hashing or sorting: a plan with
 * nested loops, made for a statement of one row and kept, would take for ever with many. Columns are compared by their bytes, which calls
 * no code of anybody. A column may be dropped or renamed after apply, and applications must be able to write all the same: so columns are
 * named without a table, within a query whose surroundings have a null of that name, which stands in where the table has none.
 */
export function recordedUpdateCapture(target: RecordedTarget): Sql {
  const { names, captureTriggers } = target;
  const current = literal(`sarrio.${ident(names.current).text}`);
  const nulls = noKey(names.delta, target.ownTypes);
  const body = sql`
    ${bySegment('', (segment) => entries(target, segment))}
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

function entries(target: RecordedTarget, segment: number): Sql {
  const { names, key, columns, counters } = target;
  const table = ident('sarrio', names.segments[segment - 1] ?? '');
  const keys = key.map(({ name }) => ident(name));
  const either = key.map(({ name }) => sql`case when changed.sarrio_is then ${ident('changed', name)} else ${ident('before', name)} end`);
  const same = join(
    key.map((column) => equals(column, ident('before', column.name), ident('changed', column.name))),
    ' and ',
  );
  const guards = counterColumns(target).map(({ name, type }) => sql`pg_catalog.array_eq(array[${ident('now', name)}], array[null::${dangerousRaw(type)}])`);
  return sql`
    insert into ${table} (${join(keys, ', ')}, change_xid, change_at, change_op, change_segment, change_bulk, change_columns, change_amounts)
    select ${join(either, ', ')}, pg_catalog.pg_current_xact_id(), pg_catalog.clock_timestamp(),
      case when changed.sarrio_is then 'U' else 'D' end::pg_catalog."char", ${dangerousRaw(String(segment))},
      case when pg_catalog.row_number() over () operator(pg_catalog.>) ${BULK_AFTER} then 0 end,
      case when changed.sarrio_is and before.sarrio_was then ${changedColumns(columns)} end,
      ${counters.length === 0 ? dangerousRaw('null') : sql`case when changed.sarrio_is and before.sarrio_was then ${differences(counters)} end`}
    from (
      select true as sarrio_was, b.*
      from old_rows as b
    ) as before
    full join (
      select true as sarrio_is, c.*
      from changed_rows as c
    ) as changed on ${same}
    cross join lateral (
      ${columnsThatAre(target, 'before')}
    ) as past
    cross join lateral (
      ${columnsThatAre(target, 'changed')}
    ) as now
    where ${onlyOfSameTypes(table, key, 'changed')}${join(guards.length === 0 ? [] : [sql` and (true or ${join(guards, ' or ')})`])};
  `;
}

function changedColumns(columns: readonly ColumnSchema[]): Sql {
  const each = columns.map(({ name }) => {
    return sql`case when pg_catalog.record_image_ne(row(${ident('past', name)}), row(${ident('now', name)})) then ${literal(name)} end`;
  });
  return sql`
    pg_catalog.array_remove(array[
      ${join(each, ',\n')}
    ]::pg_catalog.text[], null)
  `;
}

/** As decimal text, which numbers of JSON do not stay. */
function differences(counters: readonly string[]): Sql {
  const each = counters.map((name) => {
    const value = (alias: string): Sql => sql`coalesce(${ident(alias, name)}::pg_catalog.numeric, 0)`;
    return sql`${literal(name)}, (${value('now')} operator(pg_catalog.-) ${value('past')})::pg_catalog.text`;
  });
  return sql`pg_catalog.jsonb_build_object(${join(each, ', ')})`;
}

/** The columns of one side, with null for each that the table does not have any more. */
export function columnsThatAre(target: RecordedTarget, side: 'before' | 'changed'): Sql {
  const { columns } = target;
  const counters = new Map(counterColumns(target).map(({ name, type }) => [name, type]));
  const list = join(
    columns.map(({ name }) => ident(name)),
    ', ',
  );
  const nulls = columns.map(({ name }) => sql`null::${dangerousRaw(counters.get(name) ?? 'pg_catalog.text')} as ${ident(name)}`);
  return sql`
    select o.*
    from (
      select ${join(nulls, ', ')}
    ) as none
    cross join lateral (
      select ${list}
      from (
        select ${dangerousRaw(side)}.*
      ) as r
    ) as o
  `;
}

function counterColumns({ columns, counters }: RecordedTarget): readonly ColumnSchema[] {
  return columns.filter(({ name }) => counters.includes(name));
}
