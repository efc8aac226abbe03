import type { PlanRoute } from '../../plan/plan.ts';
import type { TableSchema } from '../../plan/schema-lock.ts';
import type { QualifiedName } from '../../sql/quote.ts';
import { type Model, type ModelFlow, modelFlows, type ModelTable } from '../2-model/model.ts';
import { type ApplyTarget, applyStatements } from './statements/apply.sql.ts';
import { guardApplies, guardReads } from './statements/guard.sql.ts';
import { insertFree, mayBeRanges, rangeReads, setIndexesAside } from './statements/ranges.sql.ts';
import { readStatements } from './statements/read.sql.ts';
import { clearRecorded, type Reader, relayStatements } from './statements/relay.sql.ts';
import { adoptStatements } from './statements/adopt.sql.ts';
import { verifyStatements } from './statements/verify.sql.ts';

/** The statements of one table for all databases that it goes to. */
export type RoutesOptions = {
  readonly model: Model;
  readonly sync: string;
  readonly table: ModelTable;
  readonly sources: readonly string[];
  /** Each with its table as the lock has it. */
  readonly targets: readonly { readonly database: string; readonly schema: TableSchema }[];
  /** The same for all targets, or chosen for each. */
  readonly copyFormat: 'binary' | 'text' | null;
  /** Whether deletes may wait for approval. */
  readonly isGuarded: boolean;
  readonly isOneWay: boolean;
  /** Whether rows that a target holds are compared and taken over. */
  readonly adopts: boolean;
  /** Whether indexes are set aside while a large table is copied. */
  readonly rebuildsIndexes: boolean;
};

/** Targets with the same statements share one route, so that a reviewer reads them once. */
export function emitRoutes(options: RoutesOptions): readonly PlanRoute[] {
  const { table } = options;
  const routes: PlanRoute[] = [];
  for (const { database, schema } of options.targets) {
    const at = { table, target: schema, copyFormat: options.copyFormat ?? copyFormat(table, [schema]) };
    const route = emitRoute(options, database, at);
    const same = routes.findIndex((each) => JSON.stringify({ ...each, targets: [] }) === JSON.stringify({ ...route, targets: [] }));
    const found = routes[same];
    if (found) routes[same] = { ...found, targets: [...found.targets, database] };
    else routes.push(route);
  }
  return routes;
}

function emitRoute(options: RoutesOptions, database: string, at: ApplyTarget): PlanRoute {
  const { model, sync, sources, isGuarded } = options;
  const hasRanges = options.isOneWay && mayBeRanges(at);
  const readers = readersOf(model, { database, table: at.table.targetName, except: sync });
  const sameEncoding = new Set([...sources, database].map((name) => encodingOf(model, name))).size === 1;
  const apply = applyStatements(at);
  return {
    targets: [database],
    copyFormat: at.copyFormat,
    read: { ...readStatements(at, sync), ...(hasRanges ? { ranges: rangeReads(at) } : {}), ...(isGuarded ? { guard: guardReads(at.table, sync) } : {}) },
    apply: {
      ...apply,
      clearTable: readers.some(({ takesTruncate }) => !takesTruncate) ? clearRecorded(at, sync).text : apply.clearTable,
      relay: readers.length > 0 ? relayStatements(at, sync, readers) : null,
      ...(hasRanges ? { insertFree: insertFree(at) } : {}),
      ...(hasRanges && options.rebuildsIndexes && at.target.kind === 'table' ? { setIndexesAside: setIndexesAside(at) } : {}),
      ...(isGuarded ? { guard: guardApplies(at) } : {}),
    },
    verify: { ...verifyStatements({ ...at, sameEncoding }, sync), ...(options.adopts ? { adopt: adoptStatements(at) } : {}) },
  };
}

/** `server_encoding` of a database of the model. */
export function encodingOf(model: Model, database: string): string | undefined {
  return model.databases.find(({ name }) => name === database)?.encoding;
}

/** Other syncs that capture the table in the database: they must hear of what this one writes there. */
export function readersOf(model: Model, at: { database: string; table: QualifiedName; except: string }): readonly Reader[] {
  const { database, table, except } = at;
  const read = ({ source, tables }: ModelFlow): readonly ModelTable[] =>
    source === database ? tables.filter((each) => each.source.schema === table.schema && each.source.name === table.name) : [];
  return model.syncs
    .filter((sync) => sync.name !== except)
    .flatMap((sync) => {
      const found = modelFlows(sync).flatMap(read);
      return found.length === 0 ? [] : [{ name: sync.name, takesTruncate: found.every(({ takesTruncate }) => takesTruncate) }];
    });
}

/** Binary only where every value is a plain column whose type is built in and the same on all sides (length limits aside). */
export function copyFormat(table: ModelTable, targets: readonly TableSchema[]): 'binary' | 'text' {
  const isBinary = table.columns.every(({ target: name, from }) =>
    targets.every((target) => {
      const column = target.columns.find((each) => each.name === name);
      if (from.kind === 'computed' || column === undefined) return false;
      return from.column.transfer === 'binary' && column.transfer === 'binary' && baseType(from.column.type) === baseType(column.type);
    }),
  );
  return isBinary ? 'binary' : 'text';
}

function baseType(type: string): string {
  return type.replace(/\([^)]*\)/, '');
}
