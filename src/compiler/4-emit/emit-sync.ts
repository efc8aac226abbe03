import type { PlanColumn, PlanRoute, PlanSync, PlanTable } from '../../plan/plan.ts';
import type { TableSchema } from '../../plan/schema-lock.ts';
import { ident } from '../../sql/quote.ts';
import type { Model, ModelColumn, ModelSync, ModelTable } from '../2-model/model.ts';
import { objectNames, wakeName } from '../2-model/object-names.ts';
import { type ApplyTarget, applyStatements } from './statements/apply.sql.ts';
import { countPending } from './statements/count.sql.ts';
import { readStatements } from './statements/read.sql.ts';
import { relayStatements } from './statements/relay.sql.ts';
import { verifyStatements } from './statements/verify.sql.ts';

/** The runner's part of one sync. */
export function emitSync(model: Model, sync: ModelSync): PlanSync {
  return {
    mode: sync.mode,
    source: sync.source,
    targets: sync.targets,
    existingRows: sync.existingRows,
    maxBacklog: sync.maxBacklog,
    wake: ident('sarrio', wakeName(sync.name)).text,
    tables: sync.tables.map((table, ordinal) => emitTable(model, sync, { table, ordinal })),
  };
}

function emitTable(model: Model, sync: ModelSync, { table, ordinal }: { table: ModelTable; ordinal: number }): PlanTable {
  const { schema, name } = table.source;
  return {
    source: { schema, name },
    target: table.targetName,
    key: table.key.columns.map((column) => column.name),
    columns: table.columns.map(planColumn),
    where: table.where,
    filled: ident('sarrio', objectNames(table.source).filled).text,
    countPending: countPending(sync, { table, ordinal }).text,
    routes: emitRoutes(model, sync, table),
  };
}

function planColumn({ target, from }: ModelColumn): PlanColumn {
  return { name: target, from: from.kind === 'column' ? { column: from.column.name } : { expression: from.expression } };
}

/** Targets with the same statements share one route, so that a reviewer reads them once. */
function emitRoutes(model: Model, sync: ModelSync, table: ModelTable): readonly PlanRoute[] {
  const routes: PlanRoute[] = [];
  for (const database of sync.targets) {
    const target = table.targets[database];
    if (target === undefined) throw new Error(`no table for target ${database}`);
    const route = emitRoute({ model, sync, database, at: { table, target, copyFormat: copyFormat(table, target) } });
    const same = routes.findIndex((each) => JSON.stringify({ ...each, targets: [] }) === JSON.stringify({ ...route, targets: [] }));
    const found = routes[same];
    if (found) routes[same] = { ...found, targets: [...found.targets, database] };
    else routes.push(route);
  }
  return routes;
}

function emitRoute(parts: { model: Model; sync: ModelSync; database: string; at: ApplyTarget }): PlanRoute {
  const { model, sync, database, at } = parts;
  const readers = readersOf(model, database, at.table);
  return {
    targets: [database],
    copyFormat: at.copyFormat,
    read: readStatements(at, sync.name),
    apply: { ...applyStatements(at), relay: readers.length > 0 ? relayStatements(at, sync.name, readers) : null },
    verify: verifyStatements({ ...at, sameEncoding: encodingOf(model, sync.source) === encodingOf(model, database) }, sync.name),
  };
}

function encodingOf(model: Model, database: string): string | undefined {
  return model.databases.find(({ name }) => name === database)?.encoding;
}

/** Syncs that capture the target table in the target database: they must hear of what this sync writes there. */
function readersOf(model: Model, database: string, table: ModelTable): readonly string[] {
  const { schema, name } = table.targetName;
  return model.syncs
    .filter((sync) => sync.source === database && sync.tables.some(({ source }) => source.schema === schema && source.name === name))
    .map((sync) => sync.name);
}

/** Binary only where every value is a plain column whose type is built in and the same on both sides (length limits aside). */
function copyFormat(table: ModelTable, target: TableSchema): 'binary' | 'text' {
  const isBinary = table.columns.every(({ target: name, from }) => {
    const column = target.columns.find((each) => each.name === name);
    if (from.kind === 'computed' || column === undefined) return false;
    return from.column.transfer === 'binary' && column.transfer === 'binary' && baseType(from.column.type) === baseType(column.type);
  });
  return isBinary ? 'binary' : 'text';
}

function baseType(type: string): string {
  return type.replace(/\([^)]*\)/, '');
}
