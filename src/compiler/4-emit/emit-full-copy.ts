import type { ChangedStatements, CopyStatements, PlanCopyRoute, PlanFullCopy } from '../../plan/plan-full-copy.ts';
import type { TableSchema } from '../../plan/schema-lock.ts';
import { displayName, ident, tableIdent } from '../../sql/quote.ts';
import { type Model, modelFlows, type ModelFullCopy, type ModelTable } from '../2-model/model.ts';
import { wakeName } from '../2-model/object-names.ts';
import { copyFormat, encodingOf } from './emit-routes.ts';
import { planColumn } from './plan-column.ts';
import type { ApplyTarget } from './statements/apply.sql.ts';
import { changedStatements } from './statements/changed-only.sql.ts';
import { copyStatements, groupStatements } from './statements/full-copy.sql.ts';
import { check } from './statements/read.sql.ts';
import { refreshEntry } from './statements/recapture.sql.ts';
import { checkReferences } from './statements/references.sql.ts';
import { newTable, validateReferences } from './statements/swap.sql.ts';

/** The runner's part of one full copy. */
export function emitFullCopy(model: Model, sync: ModelFullCopy): PlanFullCopy {
  const { mode, name, source, targets, method, schedule, lockTimeoutMs } = sync;
  const tables = sync.tables.map((table) => ({
    source: { schema: table.source.schema, name: table.source.name },
    target: table.targetName,
    key: table.key.columns.map((column) => column.name),
    columns: table.columns.map(planColumn),
    where: table.where,
    check: check(table)?.text ?? null,
  }));
  return { mode, source, targets, method, schedule, lockTimeoutMs, wake: wakeOf(name), tables, routes: routesOf(model, sync) };
}

/** Targets with the same statements share one route, so that a reviewer reads them once. */
function routesOf(model: Model, sync: ModelFullCopy): readonly PlanCopyRoute[] {
  const routes: PlanCopyRoute[] = [];
  for (const database of sync.targets) {
    const route = routeTo(model, sync, database);
    const same = routes.findIndex((each) => JSON.stringify({ ...each, targets: [] }) === JSON.stringify({ ...route, targets: [] }));
    const found = routes[same];
    if (found) routes[same] = { ...found, targets: [...found.targets, database] };
    else routes.push(route);
  }
  return routes;
}

function routeTo(model: Model, sync: ModelFullCopy, database: string): PlanCopyRoute {
  const { method, source } = sync;
  const sameEncoding = encodingOf(model, source) === encodingOf(model, database);
  const group = sync.tables.map((table): ApplyTarget => {
    const target = tableAt(table.targets, database);
    return { table, target, copyFormat: copyFormat(table, [target]) };
  });
  const changed = (at: ApplyTarget): ChangedStatements | null => (method === 'changed-only' ? changedStatements({ ...at, sameEncoding }) : null);
  return {
    targets: [database],
    ...groupStatements(group, method),
    tables: group.map((at) => ({ ...copyStatements(at, method), changed: changed(at), relay: relayOf(model, database, at) })),
    checkReferences: checkReferences(
      group.map(({ table }) => ({ table: table.targetName, rows: method === 'swap' ? newTable(table.targetName) : tableIdent(table.targetName) })),
    ).text,
    validate: method === 'swap' ? group.map(({ table }) => validateReferences(table.targetName).text) : [],
  };
}

/** The syncs that capture the target table in its database hear of the copy as of a TRUNCATE: they take all rows anew. */
function relayOf(model: Model, database: string, { table }: ApplyTarget): CopyStatements['relay'] {
  const readers = model.syncs.flatMap((sync) =>
    modelFlows(sync)
      .filter((flow) => flow.source === database)
      .flatMap((flow) => flow.tables.filter(({ source }) => displayName(source) === displayName(table.targetName)))
      .map((captured) => ({ sync: sync.name, captured })),
  );
  const first = readers[0];
  if (first === undefined) return null;
  return { entry: refreshEntry(first.captured).text, wakes: readers.map(({ sync }) => ({ sync, sequence: wakeOf(sync) })) };
}

function tableAt(targets: ModelTable['targets'], database: string): TableSchema {
  const found = targets[database];
  if (found === undefined) throw new Error(`no table for target ${database}`);
  return found;
}

function wakeOf(sync: string): string {
  return ident('sarrio', wakeName(sync)).text;
}
