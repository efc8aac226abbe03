import { ident, tableIdent } from '../../../sql/quote.ts';
import { dangerousRaw, join, type Sql, sql } from '../../../sql/sql.ts';
import type { ApplyStatements } from '../../../plan/plan.ts';
import type { ColumnSchema, KeyColumn, TableSchema } from '../../../plan/schema-lock.ts';
import type { ModelTable } from '../../2-model/model.ts';
import { targetNameOf } from '../../2-model/target-name.ts';
import { equals } from '../objects/capture.sql.ts';
import { objectNames } from '../../2-model/object-names.ts';
import { oncePer } from '../once-per.ts';
import { isOwnType } from './user-types.ts';

/** A table as the targets of one route have it. */
export type ApplyTarget = { readonly table: ModelTable; readonly target: TableSchema; readonly copyFormat: 'binary' | 'text' };

/**
 * Purpose: what a round does to one table of the target.
 * Reads: the session's stage table or a JSON parameter. Writes: the target table. Called by: `emitRoute`.
 *
 * Update and insert are separate statements, never ON CONFLICT: measured faster, needs no arbiter index (deferrable constraints
 * cannot be one), and cannot touch a row by any other key.
 */
export function applyStatements(at: ApplyTarget): Omit<ApplyStatements, 'relay'> {
  const { table, copyFormat } = at;
  const from = dangerousRaw(`from stdin (format ${copyFormat})`);
  const stage = stageIdent(table);
  const canUpdate = !columnsOf(at).some((column) => column.identity === 'always' && !isKey(at, column.name)) && settable(at).length > 0;
  const staged = sql`${stage} as s`;
  const replaced = dangerousRaw(table.gone === 'kept' ? ' and s.sarrio_present' : '');
  return {
    mergeRows: canUpdate ? mergeRows(at).text : null,
    deleteRows: sql`
      with ${changedRows(at)}
      ${deleteFrom(at, sql`changed as s`, replaced)}
    `.text,
    insertRows: sql`
      with ${changedRows(at)}
      ${insertFrom(at, sql`changed as s`, dangerousRaw(''))}
    `.text,
    createStage: createStage(at).text,
    loadStage: sql`copy ${stage} (sarrio_present, ${names(table)}) ${from}`.text,
    analyzeStage: sql`analyze ${stage}`.text,
    deleteAbsent: table.gone === 'kept' ? null : deleteFrom(at, staged, dangerousRaw(' and not s.sarrio_present')).text,
    updatePresent: canUpdate ? updateFrom(at, staged).text : null,
    insertMissing: insertFrom(at, staged, missing(at)).text,
    deleteStaged: deleteFrom(at, staged, replaced).text,
    insertStaged: insertFrom(at, staged, dangerousRaw('')).text,
    loadTable: sql`copy ${tableIdent(table.targetName)} (${names(table)}) ${from}`.text,
    clearTable: sql`delete from ${targetRows(at)}`.text,
    hasRows: sql`select exists (select from ${targetRows(at)}) as has_rows`.text,
  };
}

/** Whether the target itself keeps a key from standing there twice: a deferrable index does not, since its check is a trigger, and ours fire none. */
export function refusesTwice(at: Pick<ApplyTarget, 'table' | 'target'>): boolean {
  const wanted = targetKey(at).map(({ name }) => name);
  return at.target.keys.some(
    ({ columns, deferrable }) => !deferrable && columns.length === wanted.length && columns.every(({ name }) => wanted.includes(name)),
  );
}

/** Key columns by their names on the target, with the equality of the target's own index (an extension's operators may live in another schema there). */
export const targetKey = oncePer(({ table, target }: Pick<ApplyTarget, 'table' | 'target'>): readonly KeyColumn[] => {
  const mapped = table.key.columns.map((key) => ({ key, name: targetColumn(table, key.name) }));
  const wanted = new Set(mapped.map(({ name }) => name));
  const own = target.keys.find(({ columns }) => columns.length === wanted.size && columns.every(({ name }) => wanted.has(name)));
  return mapped.map(({ key, name }) => {
    return { ...(own?.columns.find((column) => column.name === name) ?? key), name };
  });
});

/** A key that does not flow was refused by a check. */
function targetColumn(table: ModelTable, source: string): string {
  const name = targetNameOf(table, source);
  if (name === null) throw new Error(`key column ${source} does not flow`);
  return name;
}

/** The session's temporary stage table. */
export const stageIdent = oncePer((table: ModelTable): Sql => ident('pg_temp', objectNames(table.targetName).delta.replace(/^delta_/, 'stage_')));

/** The JSON parameter as rows. Types that JSON conversion would read differently (json itself, types made by users) arrive as text and are cast. */
export const changedRows = oncePer((at: ApplyTarget): Sql => {
  const columns = columnsOf(at);
  const declared = columns.map(({ name, type }) => dangerousRaw(`${ident(name).text} ${arrivesAsText(type) ? 'text' : type}`));
  const read = columns.map(({ name, type }) => {
    if (!arrivesAsText(type)) return ident('r', name);
    const value = sql`r.${ident(name)}::${dangerousRaw(type)}`;
    // The nulls of an absent row: a subselect without a row gives one that no domain looks at.
    return isStagedAsText(at, { name, type }) ? sql`(select ${value} where r.sarrio_present) as ${ident(name)}` : sql`${value} as ${ident(name)}`;
  });
  return sql`
    changed as materialized (
      select r.sarrio_present, ${join(read, ', ')}
      from json_to_recordset($1::json) as r (sarrio_present boolean, ${join(declared, ', ')})
    )
  `;
});

function mergeRows(at: ApplyTarget): Sql {
  const changed = sql`changed as s`;
  const deleted =
    at.table.gone === 'kept'
      ? dangerousRaw('')
      : sql`deleted as (
  ${deleteFrom(at, changed, dangerousRaw(' and not s.sarrio_present'))}
),
`;
  return sql`
    with ${changedRows(at)},
    ${deleted}updated as (
      ${updateFrom(at, changed)}
    )
    ${insertFrom(at, changed, missing(at))}
  `;
}

/** A column whose domain may refuse the nulls of an absent row waits as text. */
function createStage(at: ApplyTarget): Sql {
  const { table } = at;
  const columns = columnsOf(at).map((column) => (isStagedAsText(at, column) ? sql`null::text as ${ident(column.name)}` : ident(column.name)));
  return sql`
    create temporary table if not exists ${dangerousRaw(stageIdent(table).text)} on commit delete rows as
    select null::boolean as sarrio_present, ${join(columns, ', ')}
    from ${tableIdent(table.targetName)}
    with no data
  `;
}

export function deleteFrom(at: ApplyTarget, rows: Sql, condition: Sql): Sql {
  return sql`
    delete from ${targetRows(at)} as t
    using ${rows}
    where ${sameTargetKey(at)}${condition}
  `;
}

/** Sets every column, the key too: keys equal to the database may still be spelled differently. */
function updateFrom(at: ApplyTarget, rows: Sql): Sql {
  const assignments = settable(at).map((column) => sql`${ident(column.name)} = ${staged(at, column)}`);
  return sql`
    update ${targetRows(at)} as t
    set ${join(assignments, ',\n  ')}
    from ${rows}
    where ${sameTargetKey(at)} and s.sarrio_present
  `;
}

export function insertFrom(at: ApplyTarget, rows: Sql, condition: Sql): Sql {
  const { table } = at;
  const overriding = columnsOf(at).some((column) => column.identity !== 'none') ? '\noverriding system value' : '';
  return sql`
    insert into ${tableIdent(table.targetName)} (${names(table)})${dangerousRaw(overriding)}
    select ${stagedColumns(at)}
    from ${rows}
    where s.sarrio_present${condition}
  `;
}

const stagedColumns = oncePer((at: ApplyTarget): Sql => {
  return join(
    columnsOf(at).map((column) => staged(at, column)),
    ', ',
  );
});

export function missing(at: ApplyTarget): Sql {
  return sql` and not exists (select from ${targetRows(at)} as t where ${sameTargetKey(at)})`;
}

export const sameTargetKey = oncePer((at: ApplyTarget): Sql => {
  return join(
    targetKey(at).map((column) => equals(column, ident('t', column.name), ident('s', column.name))),
    ' and ',
  );
});

/** The flowing columns as the target has them, in the order of the plan. */
export const columnsOf = oncePer(({ table, target }: ApplyTarget): readonly ColumnSchema[] => {
  const byName = new Map(target.columns.map((column) => [column.name, column]));
  return table.columns.map((column) => {
    const found = byName.get(column.target);
    if (found === undefined) throw new Error(`target column ${column.target} is not in the schema lock`);
    return found;
  });
});

function isKey(at: ApplyTarget, column: string): boolean {
  return targetKey(at).some(({ name }) => name === column);
}

/** JSON conversion treats some types of users' by structure. */
export function arrivesAsText(type: string): boolean {
  return type === 'json' || type === 'jsonb' || type === '"char"' || isOwnType(type);
}

/** Keys are never null. */
export function isStagedAsText(at: ApplyTarget, { name, type }: Pick<ColumnSchema, 'name' | 'type'>): boolean {
  return isOwnType(type) && !isKey(at, name);
}

export function staged(at: ApplyTarget, column: ColumnSchema): Sql {
  const value = ident('s', column.name);
  return isStagedAsText(at, column) ? sql`${value}::${dangerousRaw(column.type)}` : value;
}

export function settable(at: ApplyTarget): readonly ColumnSchema[] {
  return columnsOf(at).filter((column) => column.identity !== 'always');
}

/** The target table as statements name it: a plain table without its children, whose rows are those of other tables. (A partitioned table has no others.) */
export const targetRows = oncePer(({ table, target }: ApplyTarget): Sql => {
  const only = target.kind === 'table' ? 'only ' : '';
  return sql`${dangerousRaw(only)}${tableIdent(table.targetName)}`;
});

export const names = oncePer((table: ModelTable): Sql => {
  return join(
    table.columns.map(({ target }) => ident(target)),
    ', ',
  );
});
