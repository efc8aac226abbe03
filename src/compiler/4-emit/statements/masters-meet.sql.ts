import { ident, tableIdent } from '../../../sql/quote.ts';
import { dangerousRaw, empty, join, type Sql, sql } from '../../../sql/sql.ts';
import type { MeetStatements } from '../../../plan/plan-masters.ts';
import type { KeyColumn } from '../../../plan/schema-lock.ts';
import { type ConflictRule, recordedFor } from '../../../plan/conflict-rule.ts';
import type { ModelTable } from '../../2-model/model.ts';
import { objectNames } from '../../2-model/object-names.ts';
import { changesOfKey, recordedTargets } from './masters-changes.sql.ts';
import { keyList, lastChange, pendingByKey } from './masters-pending.sql.ts';
import { hasNames, namesOfEntries, pendingTargets } from './masters-names.sql.ts';
import type { MasterTarget } from './master-target.ts';

/**
 * Purpose: where the changes of several masters meet: which keys were changed by more than one, and by whom, when, and who has seen it.
 * Whether two keys are the same is for the database to say, or for their texts where these say the same as every database.
 * Reads: the table, its delta table. Writes: a temporary table. Called by: `masterStatements`.
 */
export function meetStatements(at: MasterTarget, sync: string): MeetStatements {
  const { table, rule } = at;
  const meet = ident('pg_temp', objectNames(table.source).delta.replace(/^delta_/, 'meet_'));
  const columns = sql`sarrio_member, ${plainKeys(table)}, sarrio_pending_at, sarrio_changed_at, sarrio_op, sarrio_names${ifRecorded(rule, ', sarrio_changes')}`;
  const own = report(at, sync);
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
        null::bigint as sarrio_changed_at, null::"char" as sarrio_op, null::text[] as sarrio_names${ifRecorded(rule, ', null::text as sarrio_changes')}
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
    ...(table.key.columns.every((key) => isToldByText(table, key)) ? { byText: true } : {}),
  };
}

/** Types of which every server writes two values alike exactly where they are equal. */
const TOLD_BY_TEXT = /^(smallint|integer|bigint|uuid|date|boolean|timestamp with(out)? time zone)$/;

/** Not where the index has an equality of its own. */
function isToldByText({ source }: ModelTable, { name, equality, input, folding }: KeyColumn): boolean {
  const type = source.columns.find((column) => column.name === name)?.type ?? '';
  return TOLD_BY_TEXT.test(type) && equality.schema === 'pg_catalog' && equality.name === '=' && input === undefined && folding === null;
}

/** Keys only: the rows of those that meet others are looked at afterwards, which for most changes are none. */
function report({ table, rule, memberCount, isRing }: MasterTarget, sync: string): Sql {
  const names = namesOfEntries({ memberCount, rule });
  const isRecorded = recordedFor(rule) !== null;
  const changes = isRecorded ? sql`, ${changesOfKey(sync)} as sarrio_changes` : empty;
  const of = sql`bit_or(a.bit) as sarrio_pending_at, ${lastChange({ rule, isRing })} as sarrio_changed_at, bool_or(d.change_op = 'I') as sarrio_has_insert${names.of}${changes}`;
  const from = isRecorded ? recordedTargets(memberCount, sync) : pendingTargets(memberCount);
  return sql`
    select (select current_setting('sarrio.member')::integer) as sarrio_member, ${keyList(table, 'p')}, p.sarrio_pending_at, p.sarrio_changed_at,
      case when p.sarrio_has_insert then 'I' else 'U' end::"char" as sarrio_op,
      ${names.given}${ifRecorded(rule, ', p.sarrio_changes::text')}
    from (
      ${pendingByKey(table, sync, { of, from, hasNames: hasNames(memberCount), isRecorded })}
    ) as p
  `;
}

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
    'text[]',
    ...(recordedFor(rule) === null ? [] : ['text']),
  ];
  return dangerousRaw(types.map((type, place) => `(r.line ->> ${place})::${type}`).join(', '));
}

function contested(table: ModelTable, { meet, rule }: { meet: Sql; rule: ConflictRule }): Sql {
  const keys = keyList(table, 'm');
  const texts = table.key.columns.map(({ name }) => sql`concat(${ident('c', name)})`);
  return sql`
    select c.sarrio_number, c.sarrio_member, c.sarrio_pending_at, c.sarrio_changed_at, c.sarrio_op, json_build_array(${join(texts, ', ')}) as key,
      to_json(c.sarrio_names) as names${ifRecorded(rule, ', c.sarrio_changes')}
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
