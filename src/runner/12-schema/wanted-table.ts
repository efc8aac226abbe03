import type { SchemaWish } from '../../plan/schema-wish.ts';
import { displayName, type QualifiedName } from '../../sql/quote.ts';
import { isNotValid } from './render-type.sql.ts';
import type { ColumnDefinition, ConstraintDefinition, TableDefinition } from './table-definition.ts';

/** A table of a source as it is to stand on a target: what does not go with the columns that flow is left out. */
export type WantedTable = {
  readonly wish: SchemaWish;
  /** Without the columns that do not flow and all that needs them; under the source's names. */
  readonly definition: TableDefinition;
  readonly name: QualifiedName;
  /** Columns of another name on the target, by the source's. Of a partition none: they come with its table. */
  readonly renames: ReadonlyMap<string, string>;
  readonly computed: readonly { readonly name: string; readonly type: string }[];
  readonly partitions: readonly WantedTable[];
  /** What was left out, in words. */
  readonly leftOut: readonly string[];
};

type Parts = {
  readonly wish: SchemaWish;
  readonly definitions: readonly TableDefinition[];
  /** Types of the computed columns, by their names on the target. */
  readonly types: ReadonlyMap<string, string>;
};

/** The table of a wish and its partitions; null when the source has no such table (any more). */
export function wantedTable({ wish, definitions, types }: Parts): WantedTable | null {
  const found = definitions.find((each) => displayName(each) === displayName(wish.table));
  if (!found) return null;
  const flowing = wish.columns.flatMap((column) => (column.kind === 'column' ? [[column.from, column.name] as const] : []));
  const kept = new Set(flowing.map(([from]) => from));
  const below = (table: TableDefinition): readonly WantedTable[] =>
    definitions
      .filter(({ parent }) => parent !== null && displayName(parent) === displayName(table))
      .map((partition) => ({ ...trimmed(partition, kept), wish, name: partition, renames: new Map(), computed: [], partitions: below(partition) }));
  return {
    ...trimmed(found, kept),
    wish,
    name: wish.name,
    renames: new Map(flowing.filter(([from, name]) => from !== name)),
    computed: wish.columns.flatMap(({ kind, name }) => (kind === 'computed' ? [{ name, type: types.get(name) ?? 'text' }] : [])),
    partitions: below(found),
  };
}

/** The table and all partitions below it. */
export function withPartitions(table: WantedTable): readonly WantedTable[] {
  return [...table.partitions.flatMap(withPartitions), table];
}

/** Columns of a foreign key as the two tables have them on the target. */
export function columnOnTarget(table: WantedTable | undefined, column: string): string {
  return table?.renames.get(column) ?? rootRename(table, column) ?? column;
}

function rootRename(table: WantedTable | undefined, column: string): string | undefined {
  return table?.wish.columns.find((each) => each.kind === 'column' && each.from === column)?.name;
}

function trimmed(table: TableDefinition, kept: ReadonlySet<string>): Pick<WantedTable, 'definition' | 'leftOut'> {
  const isKept = ({ uses }: { readonly uses: readonly string[] }): boolean => uses.every((column) => kept.has(column));
  const isWhole = (part: ConstraintDefinition): boolean =>
    isKept(part) && !(part.kind === 'c' && isNotValid(part)) && part.columns.every((column) => kept.has(column));
  // A view has nothing that a table could be made to check.
  const hasParts = table.kind === 'r' || table.kind === 'p';
  const constraints = table.constraints.filter((part) => hasParts && isWhole(part));
  const indexes = table.indexes.filter((part) => isKept(part) && part.isValid);
  const statistics = table.statistics.filter(isKept);
  const gone = (parts: readonly { readonly name: string }[], rest: readonly { readonly name: string }[], kind: string): readonly string[] =>
    parts.filter((part) => !rest.some(({ name }) => name === part.name)).map(({ name }) => `${kind} ${name}`);
  const flowing = table.columns.filter(({ name }) => kept.has(name));
  const columns = flowing.map((column) => (hasParts ? nullable(plainIfCut(column, kept)) : bare(column)));
  const loose = flowing.filter(isLoose).map(({ name, notNullConstraint }) => `constraint ${notNullConstraint?.name ?? ''} (NOT NULL of ${name})`);
  return {
    definition: { ...table, columns, constraints, indexes, statistics },
    leftOut: hasParts
      ? [
          ...gone(table.constraints, constraints, 'constraint'),
          ...gone(table.indexes, indexes, 'index'),
          ...gone(table.statistics, statistics, 'statistics'),
          ...loose,
        ]
      : [],
  };
}

/** A generated column that is computed from what does not flow: its values flow instead. */
function plainIfCut(column: ColumnDefinition, kept: ReadonlySet<string>): ColumnDefinition {
  if (column.generated === '' || column.uses.every((name) => kept.has(name))) return column;
  return { ...column, generated: '', expression: null, uses: [] };
}

/** Its NOT NULL is not valid: rows of before it may hold a null, and would be refused by a target to which all rows are new. */
function isLoose({ notNullConstraint }: ColumnDefinition): boolean {
  return notNullConstraint?.validated === false;
}

function nullable(column: ColumnDefinition): ColumnDefinition {
  return isLoose(column) ? { ...column, notNull: false, notNullConstraint: null } : column;
}

function bare(column: ColumnDefinition): ColumnDefinition {
  return { ...column, identity: '', generated: '', expression: null, uses: [], sequences: null, notNullConstraint: null };
}
