import { ident, tableIdent } from '../../../sql/quote.ts';
import { dangerousRaw, empty, join, type Sql, sql } from '../../../sql/sql.ts';
import type { MeetStatements } from '../../../plan/plan.ts';
import { type ConflictRule, recordedFor } from '../../../plan/conflict-rule.ts';
import type { ModelTable } from '../../2-model/model.ts';
import { objectNames } from '../../2-model/object-names.ts';
import type { MasterTarget } from './masters.sql.ts';
import { carriedByEntry, changesOfKey, keyList, lastChange, pendingByKey } from './masters-read.sql.ts';
import { columnOf, currentRows, sameKey } from './pending.sql.ts';
import { imageOf } from './verify-hashes.sql.ts';

/**
 * Purpose: where the changes of several masters meet: which keys were changed by more than one, and by whom, when, and who has seen it.
 * Whether two keys are the same is for the database to say.
 * Reads: the table, its delta table. Writes: a temporary table. Called by: `masterStatements`.
 */
export function meetStatements({ table, rule }: MasterTarget, sync: string): MeetStatements {
  const meet = ident('pg_temp', objectNames(table.source).delta.replace(/^delta_/, 'meet_'));
  const columns = sql`sarrio_member, ${plainKeys(table)}, sarrio_pending_at, sarrio_changed_at, sarrio_op, sarrio_image${ifRecorded(rule, ', sarrio_changes')}`;
  const own = report(table, sync, rule);
  return {
    report: own.text,
    copyReport: sql`
      copy (
        ${own}
      ) to stdout
    `.text,
    create: sql`
      create temporary table if not exists ${meet} on commit delete rows as
      select null::integer as sarrio_member, ${plainKeys(table)}, null::integer as sarrio_pending_at,
        null::bigint as sarrio_changed_at, null::"char" as sarrio_op, null::text as sarrio_image${ifRecorded(rule, ', null::text as sarrio_changes')}
      from ${tableIdent(table.source)}
      with no data
    `.text,
    load: sql`copy ${meet} (${columns}) from stdin`.text,
    insert: sql`
      insert into ${meet} (${columns})
      select ${arriving(table, rule)}
      from json_array_elements($1::json) as r (line)
    `.text,
    insertOwn: sql`
      insert into ${meet} (${columns})
      ${own}
    `.text,
    analyze: sql`analyze ${meet}`.text,
    contested: sql`
      ${contested(table, { meet, rule })}
    `.text,
    contestedRows: sql`
      with m as materialized (
        ${own}
        union all
        select ${arriving(table, rule)}
        from json_array_elements($1::json) as r (line)
      )
      ${contested(table, { meet: dangerousRaw('m'), rule })}
    `.text,
  };
}

/** Rows are hashed twice with different seeds: two rows taken for the same by mistake would stay different for ever. */
function report(table: ModelTable, sync: string, rule: ConflictRule): Sql {
  const images = table.columns.map((column) => {
    const type = column.from.kind === 'column' ? column.from.column.type : '';
    return imageOf({ name: column.target, value: columnOf(column), type });
  });
  const isRecorded = recordedFor(rule) !== null;
  const targets = sql`
    join (
      select a.bit, a.xmax::xid8 as xmax, a.xip::xid8[] as xip, a.extra::xid8[] as extra
      from json_to_recordset((select current_setting('sarrio.targets')::json)) as a (bit integer, xmax text, xip text, extra text)
      offset 0
    ) as a on (d.change_xid >= a.xmax or d.change_xid = any (a.xip)) and d.change_xid <> all (a.extra)
  `;
  const from = isRecorded ? join([targetsOfEntry, carriedByEntry(sync), dangerousRaw('where a.bit is not null')], '\n') : targets;
  const of = sql`bit_or(a.bit) as sarrio_pending_at, ${lastChange(rule)} as sarrio_changed_at, bool_or(d.change_op = 'I') as sarrio_has_insert${isRecorded ? sql`, ${changesOfKey(sync)} as sarrio_changes` : empty}`;
  return sql`
    select (select current_setting('sarrio.member')::integer) as sarrio_member, ${keyList(table, 'p')}, p.sarrio_pending_at, p.sarrio_changed_at,
      case when t.tableoid is null then 'D' when p.sarrio_has_insert then 'I' else 'U' end::"char" as sarrio_op,
      case when t.tableoid is null then '' else concat(hashtextextended(i.image, 0), '.', hashtextextended(i.image, 1)) end as sarrio_image${ifRecorded(rule, ', p.sarrio_changes::text')}
    from (
      ${pendingByKey(table, sync, { of, from, isRecorded })}
    ) as p
    left join ${currentRows(table)} as t on ${sameKey(table, 't', 'p')}
    cross join lateral (
      select row(${join(images, ', ')})::text collate "C" as image
    ) as i
  `;
}

/** Each entry once, so that what it says can be counted: who has not seen it, as bits; null for nobody. */
const targetsOfEntry = sql`
  cross join lateral (
    select bit_or(a.bit) as bit
    from (
      select a.bit, a.xmax::xid8 as xmax, a.xip::xid8[] as xip, a.extra::xid8[] as extra
      from json_to_recordset((select current_setting('sarrio.targets')::json)) as a (bit integer, xmax text, xip text, extra text)
    ) as a
    where (d.change_xid >= a.xmax or d.change_xid = any (a.xip)) and d.change_xid <> all (a.extra)
  ) as a
`;

function ifRecorded(rule: ConflictRule, text: string): Sql {
  return recordedFor(rule) === null ? empty : dangerousRaw(text);
}

/** A report's row as it travels in JSON. */
function arriving(table: ModelTable, rule: ConflictRule): Sql {
  const types = [
    'integer',
    ...table.key.columns.map(({ name }) => table.source.columns.find((column) => column.name === name)?.type ?? 'text'),
    'integer',
    'bigint',
    '"char"',
    'text',
    ...(recordedFor(rule) === null ? [] : ['text']),
  ];
  return dangerousRaw(types.map((type, place) => `(r.line ->> ${place})::${type}`).join(', '));
}

function contested(table: ModelTable, { meet, rule }: { meet: Sql; rule: ConflictRule }): Sql {
  const keys = keyList(table, 'm');
  const texts = table.key.columns.map(({ name }) => sql`concat(${ident('c', name)})`);
  return sql`
    select c.sarrio_number, c.sarrio_member, c.sarrio_pending_at, c.sarrio_changed_at, c.sarrio_op, c.sarrio_image, json_build_array(${join(texts, ', ')}) as key${ifRecorded(rule, ', c.sarrio_changes')}
    from (
      select m.*, dense_rank() over (order by ${keys}) as sarrio_number, count(*) over (partition by ${keys}) as sarrio_members
      from ${meet} as m
    ) as c
    where c.sarrio_members > 1
    order by c.sarrio_number, c.sarrio_member
  `;
}

function plainKeys(table: ModelTable): Sql {
  return join(
    table.key.columns.map(({ name }) => ident(name)),
    ', ',
  );
}
