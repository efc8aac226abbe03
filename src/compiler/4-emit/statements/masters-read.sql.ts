import { ident, literal } from '../../../sql/quote.ts';
import { dangerousRaw, empty, join, type Sql, sql } from '../../../sql/sql.ts';
import { type ConflictRule, lastRule, recordedFor } from '../../../plan/conflict-rule.ts';
import type { ModelTable } from '../../2-model/model.ts';
import type { ApplyTarget } from './apply.sql.ts';
import type { MasterTarget } from './masters.sql.ts';
import { bulkCondition, currentRows, deltaIdent, pendingCondition, sameKey } from './pending.sql.ts';
import { keyOrColumn, MAX_BYTES, sizeOf } from './read.sql.ts';

/**
 * Purpose: what a round between masters reads of one table: pending keys with the time of their last change and their current rows.
 * Reads: the table's delta table and the table. Writes: nothing. Called by: `masterStatements`, `masters-meet.sql.ts`.
 */
export function copyMasterRows(at: MasterTarget, sync: string): Sql {
  return sql`
    copy (
      ${masterRows(at, sync)}
    ) ${dangerousRaw(`to stdout (format ${at.copyFormat})`)}
  `;
}

/** The same as rows of text, or no row where they are too large for the runner's memory. */
export function fewMasterRows(at: MasterTarget, sync: string): Sql {
  const { table } = at;
  const large = table.columns.filter(({ from }) => from.kind === 'computed' || from.column.variableLength);
  const changed = masterRows(at, sync);
  if (large.length === 0) return changed;
  return sql`
    with changed as materialized (
      ${changed}
    )
    select c.sarrio_present, ${join(
      table.columns.map(({ target }) => ident('c', target)),
      ', ',
    )}, c.sarrio_at${carriesChanges(at) ? sql`, c.sarrio_carried` : empty}
    from changed as c
    where (select coalesce(sum(${join(large.map(sizeOf), ' + ')}), 0) from changed as c) <= ${dangerousRaw(String(MAX_BYTES))}
  `;
}

/** $1: JSON array of keys, each an array of the columns as text. */
export function rowsOfKeys({ table }: ApplyTarget): Sql {
  const keys = table.key.columns.map(({ name }, place) => {
    const type = table.source.columns.find((column) => column.name === name)?.type ?? 'text';
    return sql`${dangerousRaw(`(e.key ->> ${place})::${type}`)} as ${ident(name)}`;
  });
  return sql`
    select t.tableoid is not null as sarrio_present, ${columnsOrKey(table)}
    from (
      select e.place, ${join(keys, ', ')}
      from json_array_elements($1::json) with ordinality as e (key, place)
    ) as p
    left join ${currentRows(table)} as t on ${sameKey(table, 't', 'p')}
    order by p.place
  `;
}

/** One row for each pending key: the key, `what` of its entries (alias `d`), with what is recorded beside the key where that is asked for. */
export function pendingByKey(table: ModelTable, sync: string, what: { readonly of: Sql; readonly from?: Sql; readonly isRecorded?: boolean }): Sql {
  const keys = sql`${keyList(table, 'd')}${what.isRecorded ? dangerousRaw(', d.change_columns, d.change_amounts, d.change_carried') : empty}`;
  return sql`
    select ${keyList(table, 'd')}, ${what.of}
    from (
      select ${keys}, d.change_xid, d.change_at, d.change_op
      from ${deltaIdent(table)} as d
      where ${pendingCondition(sync, 'd')}
        and d.change_op not in ('T', 'B')
      union all
      select ${keys}, d.change_xid, d.change_at, d.change_op
      from ${deltaIdent(table)} as d
      where ${bulkCondition(table, sync)}
    ) as d
    ${what.from ?? dangerousRaw('')}
    group by ${keyList(table, 'd')}
  `;
}

/**
 * Microseconds since 1970 of the change that made the row. An entry of a round has the time of the version that it carries, which under
 * first-update-wins may be before that of what it overruled here; then the last entry counts, not the latest time.
 */
export function lastChange(rule: ConflictRule): Sql {
  const at = lastRule(rule).strategy === 'first-update-wins' ? '(array_agg(d.change_at order by d.change_xid desc, d.change_at desc))[1]' : 'max(d.change_at)';
  return dangerousRaw(`(extract(epoch from ${at}) * 1000000)::bigint`);
}

export function keyList(table: ModelTable, alias: string): Sql {
  return join(
    table.key.columns.map(({ name }) => ident(alias, name)),
    ', ',
  );
}

/** Whether rows bring the changes that they carry: where the rule asks for them, and there is somebody else to be told. */
export function carriesChanges({ rule, memberCount }: MasterTarget): boolean {
  return recordedFor(rule) !== null && memberCount > 2;
}

/** The changes that an entry (alias `d`) of a round of this sync has brought with it, in their groups; none for any other entry. */
export function carriedByEntry(sync: string): Sql {
  return sql`left join lateral jsonb_array_elements(d.change_carried -> ${literal(sync)}) as e (changes) on true`;
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

function masterRows(at: MasterTarget, sync: string): Sql {
  const { table, rule } = at;
  const carries = carriesChanges(at);
  const of = sql`${lastChange(rule)} as sarrio_at${carries ? sql`, ${changesOfKey(sync)} as sarrio_carried` : empty}`;
  return sql`
    select t.tableoid is not null as sarrio_present, ${columnsOrKey(table)}, p.sarrio_at${dangerousRaw(carries ? ', p.sarrio_carried' : '')}
    from (
      ${pendingByKey(table, sync, carries ? { of, from: carriedByEntry(sync), isRecorded: true } : { of })}
    ) as p
    left join ${currentRows(table)} as t on ${sameKey(table, 't', 'p')}
  `;
}

function columnsOrKey(table: ModelTable): Sql {
  return join(
    table.columns.map((column) => keyOrColumn(table, column)),
    ', ',
  );
}
