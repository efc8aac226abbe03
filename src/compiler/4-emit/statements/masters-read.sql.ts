import { ident } from '../../../sql/quote.ts';
import { dangerousRaw, empty, join, type Sql, sql } from '../../../sql/sql.ts';
import { recordedFor } from '../../../plan/conflict-rule.ts';
import type { ModelTable } from '../../2-model/model.ts';
import { objectNames } from '../../2-model/object-names.ts';
import { equals } from '../objects/capture.sql.ts';
import { type ApplyTarget, targetKey } from './apply.sql.ts';
import { changesOfKey, pendingChanges, recordedTargets } from './masters-changes.sql.ts';
import { broughtMore, isDecidedInPlace, isMerged } from './masters-decided.sql.ts';
import { hasNames, namesOfEntries, pendingTargets } from './masters-names.sql.ts';
import { lastChange, pendingByKey } from './masters-pending.sql.ts';
import { columnOf, currentRows, sameKey } from './pending.sql.ts';
import { keyOrColumn, MAX_BYTES, sizeOf } from './read.sql.ts';
import { imageOf } from './verify-hashes.sql.ts';
import type { MasterTarget } from './master-target.ts';

/**
 * Purpose: what a round between masters reads of one table: pending keys with the time of their last change and their current rows.
 * Reads: the table's delta table and the table. Writes: nothing. Called by: `masterStatements`, `masters-meet.sql.ts`.
 */
export function copyMasterRows(at: MasterTarget, sync: string): Sql {
  return copyOf(at, masterRows(at, sync, { more: copiedNames(at), isMany: true }));
}

/** Without the keys that were settled: their rows come another way, and those that stand here would only be thrown away. */
export function copyUnsettledRows(at: MasterTarget, sync: string): Sql {
  const keys = targetKey(at).map((target, place) => equals(target, ident('w', target.name), ident('p', at.table.key.columns[place]?.name ?? target.name)));
  return copyOf(
    at,
    sql`
      ${masterRows(at, sync, { more: copiedNames(at), isMany: true })}
      where not exists (select from ${masterStage(at)} as w where w.sarrio_settled and ${join(keys, ' and ')})
    `,
  );
}

function copiedNames(at: MasterTarget): Sql {
  if (isDecidedInPlace(at))
    return dangerousRaw(
      broughtMore(at)
        .map((column) => `, p.${column}`)
        .join(''),
    );
  return hasNames(at.memberCount) ? sql`, ${namesOfEntries(at).given}` : empty;
}

function copyOf({ copyFormat }: MasterTarget, rows: Sql): Sql {
  return sql`
    copy (
      ${rows}
    ) ${dangerousRaw(`to stdout (format ${copyFormat})`)}
  `;
}

/** The session's temporary stage table. */
export function masterStage({ table }: Pick<MasterTarget, 'table'>): Sql {
  return ident('pg_temp', objectNames(table.targetName).delta.replace(/^delta_/, 'masters_'));
}

/** The same as rows of text with whom they are for, or no row where they are too large for the runner's memory. */
export function fewMasterRows(at: MasterTarget, sync: string): Sql {
  const { table, memberCount } = at;
  const large = table.columns.filter(({ from }) => from.kind === 'computed' || from.column.variableLength);
  const whom = sql`, ${namesOfEntries(at).given}, ${dangerousRaw(hasNames(memberCount) ? 'p.sarrio_pending_at' : '-1 as sarrio_pending_at')}`;
  const changed = masterRows(at, sync, { more: whom, isMany: false });
  if (large.length === 0) return changed;
  return sql`
    with changed as materialized (
      ${changed}
    )
    select c.sarrio_present, ${join(
      table.columns.map(({ target }) => ident('c', target)),
      ', ',
    )}, c.sarrio_at, c.sarrio_names, c.sarrio_pending_at${dangerousRaw(carriesChanges(at) ? ', c.sarrio_carried' : '')}
    from changed as c
    where (select coalesce(sum(${join(large.map(sizeOf), ' + ')}), 0) from changed as c) <= ${dangerousRaw(String(MAX_BYTES))}
  `;
}

/** $1: JSON array of keys, each an array of the columns as text. */
export function rowsOfKeys({ table }: ApplyTarget): Sql {
  return sql`
    select t.tableoid is not null as sarrio_present, ${columnsOrKey(table)}${unlikeTexts(table)}
    from (
      ${wantedKeys(table, '$1')}
    ) as p
    left join ${currentRows(table)} as t on ${sameKey(table, 't', 'p')}
    order by p.place
  `;
}

/** The keys of a parameter as `rowsOfKeys` has it, with their places. */
export function wantedKeys(table: ModelTable, parameter: string): Sql {
  const keys = table.key.columns.map(({ name }, place) => {
    const type = table.source.columns.find((column) => column.name === name)?.type ?? 'text';
    return sql`${dangerousRaw(`(e.key ->> ${place})::${type}`)} as ${ident(name)}`;
  });
  return sql`
    select e.place, ${join(keys, ', ')}
    from json_array_elements(${dangerousRaw(parameter)}::json) with ordinality as e (key, place)
  `;
}

/** Some values are the same and have different texts on servers of different versions: then rows are compared by two hashes with different seeds. */
function unlikeTexts(table: ModelTable): Sql {
  const columns = table.columns.map((column) => ({
    name: column.target,
    value: columnOf(column),
    type: column.from.kind === 'column' ? column.from.column.type : '',
  }));
  if (!columns.some(({ type }) => type === '"char"')) return empty;
  const image = sql`row(${join(columns.map(imageOf), ', ')})::text collate "C"`;
  return sql`, concat(hashtextextended(${image}, 0), '.', hashtextextended(${image}, 1)) as sarrio_image`;
}

/** Whether rows bring the changes that they carry: where the rule asks for them, and there is somebody else to be told. */
export function carriesChanges({ rule, memberCount }: Pick<MasterTarget, 'rule' | 'memberCount'>): boolean {
  return recordedFor(rule) !== null && memberCount > 2;
}

/** Between two the position says it all. */
function masterRows(at: MasterTarget, sync: string, { more, isMany }: { readonly more: Sql; readonly isMany: boolean }): Sql {
  const { table, memberCount } = at;
  const isRecorded = carriesChanges(at);
  const when = sql`${lastChange(at)} as sarrio_at`;
  const named = sql`${when}, bit_or(a.bit) as sarrio_pending_at${namesOfEntries(at).of}`;
  const recorded = { of: sql`${named}, ${changesOfKey(sync)} as sarrio_carried`, from: recordedTargets(memberCount, sync), isRecorded };
  const alone = { of: isDecidedInPlace(at) ? sql`${when}, bool_or(d.change_op = 'I') as sarrio_insert` : when, from: empty };
  const what = isRecorded ? recorded : hasNames(memberCount) ? { of: named, from: pendingTargets(memberCount) } : alone;
  const pending = isMany && isMerged(at) ? pendingChanges(at, sync) : pendingByKey(table, sync, { ...what, hasNames: hasNames(memberCount) });
  return sql`
    select t.tableoid is not null as sarrio_present, ${columnsOrKey(table)}, p.sarrio_at${more}${dangerousRaw(isRecorded ? ', p.sarrio_carried' : '')}
    from (
      ${pending}
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
