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
  /** What marks its entries: its name, or its ring's. */
  readonly account: string;
  readonly table: ModelTable;
  readonly targets: readonly RouteEnd[];
  /** The same for all targets, or chosen for each. */
  readonly copyFormat: 'binary' | 'text' | null;
  /** Whether deletes may wait for approval. */
  readonly isGuarded: boolean;
  /** How a large table may be copied: in ranges, between masters (`compared`) with a comparison at the end where they are of several snapshots. */
  readonly ranges: 'plain' | 'compared' | 'none';
  /** Whether rows that a target holds are compared and taken over. */
  readonly adopts: boolean;
  /** Whether indexes are set aside while a large table is copied. */
  readonly rebuildsIndexes: boolean;
};

/** A target, with its table as the lock has it and what else of the model matters there. */
export type RouteEnd = { readonly database: string; readonly schema: TableSchema; readonly readers: readonly Reader[]; readonly sameEncoding: boolean };

type Ends = { readonly sync: string; readonly sources: readonly string[]; readonly table: ModelTable };

export function routeEnd(model: Model, { sync, sources, table }: Ends, { database, schema }: Pick<RouteEnd, 'database' | 'schema'>): RouteEnd {
  const readers = readersOf(model, { database, table: table.targetName, except: sync });
  return { database, schema, readers, sameEncoding: new Set([...sources, database].map((name) => encodingOf(model, name))).size === 1 };
}

/** All that tells one table's statements from another's beside the table itself. */
export function routeWords(options: Omit<RoutesOptions, 'table'>): unknown {
  return { ...options, targets: options.targets.map(({ database, readers, sameEncoding }) => [database, readers, sameEncoding]) };
}

/** Targets with the same statements share one route, so that a reviewer reads them once. */
export function emitRoutes(options: RoutesOptions): readonly PlanRoute[] {
  const { table } = options;
  const routes: PlanRoute[] = [];
  for (const end of options.targets) {
    const { database, schema } = end;
    const at = { table, target: schema, copyFormat: options.copyFormat ?? copyFormat(table, [schema]) };
    const route = emitRoute(options, end, at);
    const same = routes.findIndex((each) => JSON.stringify({ ...each, targets: [] }) === JSON.stringify({ ...route, targets: [] }));
    const found = routes[same];
    if (found) routes[same] = { ...found, targets: [...found.targets, database] };
    else routes.push(route);
  }
  return routes;
}

function emitRoute(options: RoutesOptions, { database, readers, sameEncoding }: RouteEnd, at: ApplyTarget): PlanRoute {
  const { account, isGuarded } = options;
  const hasRanges = options.ranges !== 'none' && mayBeRanges(at);
  const adopts = options.adopts || (hasRanges && options.ranges === 'compared');
  const apply = applyStatements(at);
  return {
    targets: [database],
    copyFormat: at.copyFormat,
    read: { ...readStatements(at, account), ...(hasRanges ? { ranges: rangeReads(at) } : {}), ...(isGuarded ? { guard: guardReads(at.table, account) } : {}) },
    apply: {
      ...apply,
      clearTable: readers.some(({ takesTruncate }) => !takesTruncate) ? clearRecorded(at, account).text : apply.clearTable,
      relay: readers.length > 0 ? relayStatements(at, account, readers) : null,
      ...(hasRanges ? { insertFree: insertFree(at) } : {}),
      ...(hasRanges && options.rebuildsIndexes && at.target.kind === 'table' ? { setIndexesAside: setIndexesAside(at) } : {}),
      ...(isGuarded ? { guard: guardApplies(at) } : {}),
    },
    verify: { ...verifyStatements({ ...at, sameEncoding }, account), ...(adopts ? { adopt: adoptStatements(at) } : {}) },
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
