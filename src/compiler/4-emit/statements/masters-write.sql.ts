import { ident, literal, tableIdent } from '../../../sql/quote.ts';
import { dangerousRaw, empty, join, type Sql, sql } from '../../../sql/sql.ts';
import type { MasterWriteStatements } from '../../../plan/plan-masters.ts';
import { objectNames } from '../../2-model/object-names.ts';
import { equals } from '../objects/capture.sql.ts';
import { arrivesAsText, columnsOf, insertFrom, isStagedAsText, missing, names, sameTargetKey, settable, staged, targetKey, targetRows } from './apply.sql.ts';
import { hasNames } from './masters-names.sql.ts';
import { recordedFor } from '../../../plan/conflict-rule.ts';
import { beforeOfEntry } from './masters-common.sql.ts';
import { broughtColumns, broughtMore, createDecided, decidedIdent, isDecidedInPlace, isOther, keysOfDecided } from './masters-decided.sql.ts';
import { carriesChanges, masterStage } from './masters-read.sql.ts';
import type { MasterTarget } from './master-target.ts';

/**
 * Purpose: what a round between masters writes to one table and to its delta table.
 * Reads: a JSON parameter or the stage. Writes: the table, its delta table, the stage. Called by: `masterStatements`.
 *
 * A row that is the same already, to the last byte, is not touched, and nobody hears of it: that is what lets chains of syncs fall quiet.
 */
export function masterWrites(at: MasterTarget, sync: string): MasterWriteStatements {
  const rows = { with: sql`with ${changedRows(at)}`, from: sql`changed as s` };
  const stage = { with: dangerousRaw(''), from: sql`${masterStage(at)} as s` };
  const canUpdate = settable(at).length > 0 && !columnsOf(at).some(({ name, identity }) => identity === 'always' && !isKey(at, name));
  const absent = dangerousRaw(' and not s.sarrio_present');
  const present = missing(at);
  return {
    entriesOfRows: sql`
      with ${changedRows(at)}
      ${entries(at, sync, { from: rows.from, isStage: false })}
    `.text,
    mergeRows: canUpdate ? mergeRows(at).text : null,
    deleteRows: sql`
      with ${changedRows(at)}
      ${deleteWhere(at, rows.from, sql` and ${isOther(at)}`)}
    `.text,
    insertRows: sql`
      with ${changedRows(at)}
      ${insertFrom(at, rows.from, present)}
    `.text,
    createStage: createStage(at).text,
    loadStage:
      sql`copy ${masterStage(at)} (sarrio_present, ${names(at.table)}, sarrio_at${loadedMore(at)}) ${dangerousRaw(`from stdin (format ${at.copyFormat})`)}`
        .text,
    loadRows: sql`copy ${masterStage(at)} (${stageColumns(at)}) from stdin`.text,
    indexSettled: sql`create index if not exists ${settledIndex(at)} on ${masterStage(at)} (${stageKey(at)}) where sarrio_settled`.text,
    analyzeStage: sql`analyze ${masterStage(at)} (${stageKey(at)}, sarrio_settled)`.text,
    countStage:
      sql`select count(*) filter (where s.sarrio_present) as present, count(*) filter (where not s.sarrio_present) as absent from ${masterStage(at)} as s`.text,
    dropSettled: dropSettled(at).text,
    unsettle: sql`
      with arrived as materialized (
        select ${arrivingColumns(at)}
        from ${arrivingRows(at)}
      )
      delete from ${masterStage(at)} as s
      using arrived as w
      where s.sarrio_settled and ${sameKeys(at, 's', 'w')}
    `.text,
    takeOver: takeOver(at, sync).text,
    entriesOfStage: entries(at, sync, { from: stage.from, isStage: true }).text,
    deleteAbsent: deleteWhere(at, stage.from, absent).text,
    updatePresent: canUpdate ? updateOther(at, stage.from).text : null,
    deleteChanged: deleteWhere(at, stage.from, sql` and ${isOther(at)}`).text,
    insertMissing: insertFrom(at, stage.from, present).text,
  };
}

function more({ rule }: MasterTarget): readonly string[] {
  const always = ['sarrio_at bigint', 'sarrio_fresh boolean', 'sarrio_settled boolean', 'sarrio_skip boolean', 'sarrio_names text[]'];
  return [...always, ...(recordedFor(rule) === null ? [] : ['sarrio_carried jsonb'])];
}

/** What comes by COPY beside the columns and the time. */
function loadedMore(at: MasterTarget): Sql {
  if (isDecidedInPlace(at)) return dangerousRaw(`, ${broughtMore(at).join(', ')}`);
  return dangerousRaw(`${hasNames(at.memberCount) ? ', sarrio_names' : ''}${carriesChanges(at) ? ', sarrio_carried' : ''}`);
}

function moreNames(at: MasterTarget): readonly string[] {
  return more(at).map((column) => column.replace(/ .*/, ''));
}

/** Rows of the parameter, delivered ones without those whose key was settled. */
export function changedRows(at: MasterTarget): Sql {
  return sql`
    arrived as materialized (
      select ${arrivingColumns(at)}
      from ${arrivingRows(at)}
    ),
    changed as materialized (
      select s.*
      from arrived as s
      where not s.sarrio_skip
        and (s.sarrio_settled or not exists (select from arrived as w where w.sarrio_settled and ${sameKeys(at, 'w', 's')}))
    )
  `;
}

function arrivingRows(at: MasterTarget): Sql {
  const declared = columnsOf(at).map(({ name, type }) => `${ident(name).text} ${arrivesAsText(type) ? 'text' : type}`);
  return dangerousRaw(`json_to_recordset($1::json) as r (sarrio_present boolean, ${[...declared, ...more(at)].join(', ')})`);
}

function arrivingColumns(at: MasterTarget): Sql {
  const read = columnsOf(at).map((column) => {
    const value = ident('r', column.name);
    if (!arrivesAsText(column.type) || isStagedAsText(at, column)) return value;
    return sql`${value}::${dangerousRaw(column.type)} as ${ident(column.name)}`;
  });
  return sql`r.sarrio_present, ${join([...read, ...moreNames(at).map((name) => ident('r', name))], ', ')}`;
}

function stageColumns(at: MasterTarget): Sql {
  return sql`sarrio_present, ${names(at.table)}, ${dangerousRaw(moreNames(at).join(', '))}`;
}

function stageKey(at: MasterTarget): Sql {
  return join(
    targetKey(at).map(({ name }) => ident(name)),
    ', ',
  );
}

function settledIndex({ table }: MasterTarget): Sql {
  return ident(objectNames(table.targetName).delta.replace(/^delta_/, 'settled_'));
}

/** What is loaded by COPY is delivered: neither settled nor skipped, and carried on where there are more than two members. */
function createStage(at: MasterTarget): Sql {
  const columns = columnsOf(at).map((column) => (isStagedAsText(at, column) ? sql`null::text as ${ident(column.name)}` : ident(column.name)));
  const own = [...more(at), ...broughtColumns(at)].map((column) => column.replace(/^(\S+) (\S+)$/, 'null::$2 as $1'));
  // Keys are all different, and who was settled are all or few of them, which a few rows show as well as many.
  const sampled = join(
    [...targetKey(at).map(({ name }) => ident(name)), ident('sarrio_settled')].map((name) => sql`alter column ${name} set statistics 10`),
    ',\n',
  );
  const stage = sql`
    create temporary table if not exists ${masterStage(at)} on commit delete rows as
    select null::boolean as sarrio_present, ${join([...columns, ...own.map(dangerousRaw)], ', ')}
    from ${tableIdent(at.table.targetName)}
    with no data;
    alter table ${masterStage(at)}
      alter column sarrio_fresh set default ${dangerousRaw(String(at.memberCount > 2))},
      alter column sarrio_settled set default false,
      alter column sarrio_skip set default false,
      ${sampled}
  `;
  return isDecidedInPlace(at) ? join([stage, createDecided(at)], ';\n') : stage;
}

function dropSettled(at: MasterTarget): Sql {
  return sql`
    delete from ${masterStage(at)} as s
    using ${masterStage(at)} as w
    where w.sarrio_settled and not s.sarrio_settled and ${sameKeys(at, 's', 'w')};
    delete from ${masterStage(at)} as s
    where s.sarrio_skip
  `;
}

/**
 * Where every database keeps its own row, what was changed here is told to nobody any more: the members may differ, and a commit that
 * is lost at one of them must not let the row of another one win unseen.
 */
function takeOver(at: MasterTarget, sync: string): Sql {
  return sql`
    with arrived as materialized (
      select ${arrivingColumns(at)}
      from ${arrivingRows(at)}
    )
    update ${ident('sarrio', objectNames(at.table.targetName).delta)} as d
    set change_sync = ${literal(sync)}
    from arrived as s
    where s.sarrio_skip
      and ${sameKeys(at, 'd', 's')}
      and d.change_op not in ('T', 'B')
      and d.change_sync is distinct from ${literal(sync)}
  `;
}

/**
 * A fresh entry is for everybody where the row changes here; where it is the same already it only tells this sync's other members that
 * they would overwrite something. It names the changes that the row embodies and that are new here, one in each entry (none: nothing to tell); a decision has no name but its own. Other entries tell the other syncs that read the table here.
 */
function entries(at: MasterTarget, sync: string, { from, isStage }: { readonly from: Sql; readonly isStage: boolean }): Sql {
  const { delta, current } = objectNames(at.table.targetName);
  const keys = targetKey(at).map(({ name }) => name);
  const list = join(keys.map((key) => ident(key)));
  const values = join(
    keys.map((key) => ident('s', key)),
    ', ',
  );
  const segment = sql`coalesce(pg_sequence_last_value(${literal(`sarrio.${ident(current).text}`)}::regclass), 1)`;
  const named = hasNames(at.memberCount)
    ? {
        columns: ', change_origin, change_origin_xid',
        values: ", split_part(n.name, ':', 1)::bigint, split_part(n.name, ':', 2)::xid8",
        from: `\nleft join lateral ${recordedFor(at.rule) === null ? 'unnest(s.sarrio_names) as n (name)' : NUMBERED_NAMES} on s.sarrio_fresh`,
      }
    : { columns: '', values: '', from: '' };
  const before = beforeOfEntry(at);
  // As a join: a condition of a row's own, beside others, would be asked for each row, and hide from the planner how few rows there are.
  const isInPlace = isStage && isDecidedInPlace(at);
  const decided = isInPlace ? sql` left join ${decidedIdent(at)} as d on d.sarrio_conflict and ${keysOfDecided(at, 's')}` : empty;
  const undecided = isInPlace ? dangerousRaw(' and d.sarrio_conflict is null') : empty;
  const isTold = hasNames(at.memberCount) ? sql`(s.sarrio_fresh and (s.sarrio_names is distinct from '{}' or ${isOther(at)}))` : sql`s.sarrio_fresh`;
  return sql`
    insert into ${ident('sarrio', delta)} (${dangerousRaw(list.text.replaceAll(',\n', ', '))}, change_xid, change_at, change_op, change_segment, change_sync${dangerousRaw(named.columns)}${recordedNames(at)}${before.columns})
    select ${values}, pg_current_xact_id(), '1970-01-01 00:00:00+00'::timestamptz + s.sarrio_at * interval '1 microsecond',
      case when s.sarrio_present then 'U' else 'D' end::"char", ${segment},
      case when not s.sarrio_fresh then ${literal(sync)} when not ${isOther(at)} then ${literal(`=${sync}`)} end${dangerousRaw(named.values)}${recordedValues(at, sync)}${before.values}
    from ${from}
    left join ${targetRows(at)} as t on ${sameTargetKey(at)}${dangerousRaw(named.from)}${decided}
    where ${isTold} or (current_setting('sarrio.tells', true) is distinct from 'f' and ${isOther(at)}${undecided})
  `;
}

/**
 * Of several entries the first says what was done to the row, or it would count as often as there are names. Names of this member's own
 * history come last: another sync that the member is in may know those, and pass over their entries.
 */
const NUMBERED_NAMES = `(
  select u.name, row_number() over (order by split_part(u.name, ':', 1) = (select current_setting('sarrio.origin')), u.name) as place
  from unnest(s.sarrio_names) as u (name)
) as n`;

function recordedNames({ rule }: MasterTarget): Sql {
  return recordedFor(rule) === null ? empty : dangerousRaw(', change_columns, change_amounts, change_carried');
}

/** What it does to the row that stands here is for other syncs; this one goes by the changes that it carries, if it was told any. */
function recordedValues(at: MasterTarget, sync: string): Sql {
  const recorded = recordedFor(at.rule);
  if (recorded === null) return empty;
  const columns = columnsOf(at);
  const changed = columns.map((column) => {
    return sql`case when row(${ident('t', column.name)})::record *<> row(${staged(at, column)})::record then ${literal(column.name)} end`;
  });
  const amounts = columns
    .filter(({ name }) => recorded.counters.includes(name))
    .map((column) => sql`${literal(column.name)}, (coalesce(${staged(at, column)}::numeric, 0) - coalesce(${ident('t', column.name)}::numeric, 0))::text`);
  const isUpdate = dangerousRaw('t.tableoid is not null and s.sarrio_present');
  const isFurther = dangerousRaw(hasNames(at.memberCount) ? ` when n.place > 1 then '{}'` : '');
  return sql`,
      case when not (${isUpdate}) then null${isFurther} else array_remove(array[${join(changed, ', ')}]::text[], null) end,
      ${amounts.length === 0 ? dangerousRaw('null') : sql`case when not (${isUpdate}) then null${isFurther} else jsonb_build_object(${join(amounts, ', ')}) end`},
      case when s.sarrio_fresh and s.sarrio_carried is not null then jsonb_build_object(${literal(sync)}, s.sarrio_carried) end`;
}

function mergeRows(at: MasterTarget): Sql {
  const changed = sql`changed as s`;
  return sql`
    with ${changedRows(at)},
    deleted as (
      ${deleteWhere(at, changed, dangerousRaw(' and not s.sarrio_present'))}
    ),
    updated as (
      ${updateOther(at, changed)}
    )
    ${insertFrom(at, changed, missing(at))}
  `;
}

function deleteWhere(at: MasterTarget, rows: Sql, condition: Sql): Sql {
  return sql`
    delete from ${targetRows(at)} as t
    using ${rows}
    where ${sameTargetKey(at)}${condition}
  `;
}

function updateOther(at: MasterTarget, rows: Sql): Sql {
  const assignments = settable(at).map((column) => sql`${ident(column.name)} = ${staged(at, column)}`);
  return sql`
    update ${targetRows(at)} as t
    set ${join(assignments, ',\n  ')}
    from ${rows}
    where ${sameTargetKey(at)} and s.sarrio_present and ${isOther(at)}
  `;
}

export function sameKeys(at: MasterTarget, left: string, right: string): Sql {
  return join(
    targetKey(at).map((column) => equals(column, ident(left, column.name), ident(right, column.name))),
    ' and ',
  );
}

function isKey(at: MasterTarget, column: string): boolean {
  return targetKey(at).some(({ name }) => name === column);
}
