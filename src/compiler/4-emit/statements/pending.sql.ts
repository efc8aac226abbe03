import { FEW_ENTRIES } from '../../../plan/plan.ts';
import { ident, literal, tableIdent } from '../../../sql/quote.ts';
import { byTexts, dangerousRaw, foreignExpression, join, type Sql, sql } from '../../../sql/sql.ts';
import type { ModelColumn, ModelTable } from '../../2-model/model.ts';
import { equals } from '../objects/capture.sql.ts';
import { objectNames } from '../../2-model/object-names.ts';
import { oncePer } from '../once-per.ts';

/**
 * Purpose: the conditions and row sources that reading statements share.
 * Reads: delta tables and captured tables of the source, settings `sarrio.xmax`, `sarrio.xip`, `sarrio.extra`. Writes: nothing.
 * Called by: `read.sql.ts`, `count.sql.ts`.
 *
 * The position comes in settings and not in parameters because COPY takes no parameters and the text must be the one reviewed. Each
 * is read in a subselect, once a statement: as a plain expression it would be parsed again for every entry, which doubles the CPU time
 * of a scan of a million entries.
 */
export const pendingCondition = byTexts(
  (sync, alias) => sql`
    ${ident(alias)}.change_bulk is distinct from 0
    and ${uncovered(sync, alias)}
  `,
);

/**
 * Entries beyond those of `pendingCondition` are read only when an entry of it says that there are some. Counted, not asked for with
 * `exists`: for a first row the planner hopes to meet one soon and walks through the whole index, past every entry that is retained.
 */
export function bulkCondition(table: ModelTable, sync: string): Sql {
  return bulkConditions(table)(sync, 'b');
}

const bulkConditions = oncePer((table: ModelTable) =>
  byTexts(
    (sync, alias) => sql`
      d.change_bulk = 0
      and ${uncovered(sync, 'd')}
      and (
        select count(*) > 0
        from ${deltaIdent(table)} as ${ident(alias)}
        where ${pendingCondition(sync, alias)}
          and ${ident(alias)}.change_op = 'B'
      )
    `,
  ),
);

const uncovered = byTexts(
  (sync, alias) => sql`
    (${isAfter(alias)}
      or ${wasRunning(alias)})
    and ${isFor(sync, alias)}
  `,
);

function isAfter(alias: string): Sql {
  return sql`${ident(alias, 'change_xid')} >= (select current_setting('sarrio.xmax')::xid8)`;
}

function wasRunning(alias: string): Sql {
  return sql`${ident(alias, 'change_xid')} = any ((select current_setting('sarrio.xip')::xid8[])::xid8[])`;
}

/** Neither covered one by one nor meant for others. */
const isFor = byTexts(
  (sync, alias) => sql`
    ${ident(alias, 'change_xid')} <> all ((select current_setting('sarrio.extra')::xid8[])::xid8[])
    and ${isForSync(sync, alias)}
  `,
);

/**
 * `change_sync` of an entry is null when an application made the change, a sync's name when a round of it wrote it (all others carry it
 * on), and `=` with the name when that sync alone has to.
 */
function isForSync(sync: string, alias: string): Sql {
  const tag = ident(alias, 'change_sync');
  return sql`(${tag} is null or ${tag} = ${literal(`=${sync}`)} or (${tag} <> ${literal(sync)} and left(${tag}, 1) <> '='))`;
}

export const deltaIdent = oncePer((table: ModelTable): Sql => ident('sarrio', objectNames(table.source).delta));

/** `select` of the pending keys; distinct unless every entry is an insert. */
export function pendingKeys(table: ModelTable, sync: string, distinct: boolean): Sql {
  return keyUnions(table)(sync, distinct ? 'union' : 'union all');
}

const keyUnions = oncePer((table: ModelTable) =>
  byTexts(
    (sync, union) => sql`
      ${keysWhere(table, pendingCondition(sync, 'd'))}
        and d.change_op not in ('T', 'B')
      ${dangerousRaw(union)}
      ${keysWhere(table, bulkCondition(table, sync))}
    `,
  ),
);

/**
 * The same of a few changes: no statement among them was large. Rounds ask before they know how many there are, so no more than a few are
 * read; where there are more, the answer is thrown away. The two ranges of ids apart, each one of the index: for a first few of both
 * together the planner would walk through the whole index, past every entry that is retained.
 */
export function fewPendingKeys(table: ModelTable, sync: string): Sql {
  return fewOf(sync, (condition) => keysWhere(table, condition));
}

/** Each pending entry with whether it says that the row was deleted. */
export function pendingOps(table: ModelTable, sync: string): Sql {
  return sql`
    ${opsWhere(table, pendingCondition(sync, 'd'))}
      and d.change_op not in ('T', 'B')
    union all
    ${opsWhere(table, bulkCondition(table, sync))}
  `;
}

/** The same of a few changes, as `fewPendingKeys`. */
export function fewPendingOps(table: ModelTable, sync: string): Sql {
  return fewOf(sync, (condition) => opsWhere(table, condition));
}

function fewOf(sync: string, entriesWhere: (condition: Sql) => Sql): Sql {
  const few = (range: Sql): Sql => sql`
    (
      ${entriesWhere(sql`d.change_bulk is distinct from 0 and ${range}`)}
        and ${isFor(sync, 'd')}
        and d.change_op not in ('T', 'B')
      limit ${dangerousRaw(String(FEW_ENTRIES))}
    )
  `;
  return sql`
    ${few(isAfter('d'))}
    union
    ${few(wasRunning('d'))}
  `;
}

function opsWhere(table: ModelTable, condition: Sql): Sql {
  const keys = table.key.columns.map(({ name }) => ident('d', name));
  return sql`
    select ${join([...keys, sql`d.change_op = 'D' as sarrio_deleted`], ', ')}
    from ${deltaIdent(table)} as d
    where ${condition}
  `;
}

const keysOfEntries = oncePer((table: ModelTable): Sql => {
  return join(
    table.key.columns.map(({ name }) => ident('d', name)),
    ', ',
  );
});

function keysWhere(table: ModelTable, condition: Sql): Sql {
  return sql`
    select ${keysOfEntries(table)}
    from ${deltaIdent(table)} as d
    where ${condition}
  `;
}

/** The table itself, or, with a row filter or computed columns or a bound, a subquery that has both and names computed columns `=name`. */
export function currentRows(table: ModelTable, within: Sql | null = null): Sql {
  const relation = sourceRows(table);
  if (within === null && table.where === null && !table.columns.some(isComputed)) return relation;
  const names = new Set([...table.key.columns.map(({ name }) => name), ...table.columns.flatMap(sourceColumn)]);
  const plain = [...names].map((name) => ident('r', name));
  const computed = table.columns.flatMap(({ target, from }) =>
    from.kind === 'computed' ? [sql`${foreignExpression(from.expression)} as ${ident(`=${target}`)}`] : [],
  );
  // A view has none.
  const oid = table.source.kind === 'view' ? '' : 'r.tableoid, ';
  return sql`
    (
      select ${dangerousRaw(oid)}${join([...plain, ...computed], ', ')}
      from ${relation} as r
      ${whereClause(table, within)}
    )
  `;
}

const sourceRows = oncePer(({ capture, source }: ModelTable): Sql => {
  const only = capture === 'row' ? 'only ' : '';
  return sql`${dangerousRaw(only)}${tableIdent(source)}`;
});

/** The user's filter, like a computed column closed by a line break so that a trailing comment in it cannot swallow what follows. */
export function whereClause(table: ModelTable, within: Sql | null = null): Sql {
  const conditions = [...(within === null ? [] : [within]), ...(table.where === null ? [] : [foreignExpression(table.where)])];
  return conditions.length === 0 ? dangerousRaw('') : sql`where ${join(conditions, ' and ')}`;
}

/** A flowing column as an expression over the alias `t` of `currentRows`. */
export function columnOf(column: ModelColumn): Sql {
  if (column.from.kind === 'computed') return ident('t', `=${column.target}`);
  const { name, type } = column.from.column;
  return isXml(type) ? sql`${ident('t', name)}::text${dangerousRaw(type.slice('xml'.length))}` : ident('t', name);
}

/** Its own output leaves out the XML declaration, which its text has. */
export function isXml(type: string): boolean {
  return /^xml(\[\])*$/.test(type);
}

/** Join condition by the key's own equality. */
export function sameKey(table: ModelTable, left: string, right: string): Sql {
  return sameKeys(table)(left, right);
}

const sameKeys = oncePer((table: ModelTable) =>
  byTexts((left, right) => {
    const pairs = table.key.columns.map((column) => equals(column, ident(left, column.name), ident(right, column.name)));
    return join(pairs, ' and ');
  }),
);

export function isComputed(column: ModelColumn): boolean {
  return column.from.kind === 'computed';
}

function sourceColumn(column: ModelColumn): readonly string[] {
  return column.from.kind === 'column' ? [column.from.column.name] : [];
}
