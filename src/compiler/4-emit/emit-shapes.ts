import type { TableShape } from '../../plan/plan.ts';
import type { Recall } from '../../plan/recall.ts';
import type { TableSchema } from '../../plan/schema-lock.ts';
import { displayName } from '../../sql/quote.ts';
import { allFlows, type Model, type ModelTable } from '../2-model/model.ts';
import { targetKey } from './statements/apply.sql.ts';

/** What the plan relies on in the user's tables of one database, by display name in code-unit order. */
export function emitShapes(model: Model, database: string, recall: Recall): Readonly<Record<string, TableShape>> {
  const shapes = new Map<string, TableShape>();
  for (const { source, targets, tables, isCaptured } of model.syncs.flatMap((sync) =>
    allFlows(sync).map((flow) => ({ ...flow, isCaptured: sync.mode !== 'full-copy' })),
  )) {
    for (const table of tables) {
      if (source === database) {
        const made = { about: table, kind: 'source shape', words: String(isCaptured) };
        add(
          shapes,
          displayName(table.source),
          recall(made, () => sourceShape(table, isCaptured)),
        );
      }
      const target = table.targets[database];
      if (target !== undefined && targets.includes(database)) {
        const made = { about: table, kind: `target shape ${database}`, words: '' };
        add(
          shapes,
          displayName(table.targetName),
          recall(made, () => targetShape(table, target)),
        );
      }
    }
  }
  return Object.fromEntries([...shapes].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function add(shapes: Map<string, TableShape>, name: string, shape: TableShape): void {
  const other = shapes.get(name);
  if (other === undefined) shapes.set(name, shape);
  else {
    const columns = Object.entries({ ...other.columns, ...shape.columns }).sort(([a], [b]) => (a < b ? -1 : 1));
    const partitions = other.partitions.length > 0 ? other.partitions : shape.partitions;
    const roles = [...new Set([...other.roles, ...shape.roles])].sort();
    const isUsed = (column: string): boolean => columns.some(([used]) => used === column);
    const unused = [...new Set([...(other.unused ?? []), ...(shape.unused ?? [])])].filter((column) => !isUsed(column)).sort();
    shapes.set(name, {
      roles,
      kind: other.kind,
      columns: Object.fromEntries(columns),
      key: other.key.length > 0 ? other.key : shape.key,
      partitions,
      ...without(unused, other.takesNew === true || shape.takesNew === true),
    });
  }
}

/** A filter or an expression may use any column, so with one of them every column counts. */
function sourceShape(table: ModelTable, isCaptured: boolean): TableShape {
  const usesAll = table.where !== null || table.columns.some(({ from }) => from.kind === 'computed');
  const flowing = table.columns.flatMap(({ from }) => (from.kind === 'column' ? [from.column.name] : []));
  const used = new Set([...flowing, ...table.key.columns.map(({ name }) => name)]);
  const unused = usesAll ? [] : unusedColumns(table.source, used);
  return {
    roles: ['source'],
    kind: kindOf(table.source),
    columns: columnTypes(table.source, (name) => usesAll || used.has(name)),
    // A full copy needs no index in its source, which may be a view.
    key: isCaptured ? table.key.columns.map(({ name }) => name) : [],
    partitions: isCaptured ? table.partitions.map(({ schema, name }) => ({ schema, name })) : [],
    ...without(unused, isCaptured && table.takesNew),
  };
}

function targetShape(table: ModelTable, target: TableSchema): TableShape {
  const used = new Set(table.columns.map((column) => column.target));
  return {
    roles: ['target'],
    kind: kindOf(target),
    columns: columnTypes(target, (name) => used.has(name)),
    key: targetKey({ table, target }).map(({ name }) => name),
    partitions: [],
    ...without(unusedColumns(target, used), false),
  };
}

function unusedColumns(table: TableSchema, used: ReadonlySet<string>): readonly string[] {
  return table.columns.flatMap(({ name }) => (used.has(name) ? [] : [name])).sort();
}

/** What is said of columns that the plan does not use, only where there is something to say. */
function without(unused: readonly string[], takesNew: boolean): Pick<TableShape, 'unused' | 'takesNew'> {
  return { ...(unused.length > 0 ? { unused } : {}), ...(takesNew ? { takesNew } : {}) };
}

function kindOf(table: TableSchema): TableShape['kind'] {
  switch (table.kind) {
    case 'materialized-view':
      return 'materialized view';
    case 'foreign':
      return 'foreign table';
    default:
      return table.kind;
  }
}

function columnTypes(table: TableSchema, isUsed: (name: string) => boolean): Readonly<Record<string, string>> {
  const used = table.columns.filter(({ name }) => isUsed(name)).map(({ name, type }) => [name, type] as const);
  return Object.fromEntries(used.sort(([a], [b]) => (a < b ? -1 : 1)));
}
