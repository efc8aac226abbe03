import { contentHash } from '../../plan/canonical.ts';
import type { PlanCapture } from '../../plan/plan.ts';
import { TERMS, type Terms } from '../../plan/terms.ts';
import { displayName, quoteIdent } from '../../sql/quote.ts';
import { ask, askAgain, type Question } from '../postgres/question.ts';
import type { Session } from '../postgres/session.ts';
import { COPIES, countChangesSql, INSTALLED, LIVE_OBJECTS, REGISTERED, WATERMARKS } from './installed.sql.ts';
import type { InstalledObject, LiveColumn, LiveDatabase, LiveObject } from './live-database.ts';
import { foundSeals, recordedSeals } from './seal.ts';
import type { Row } from '../postgres/statement.ts';

/** Reads what of ours stands in a database: in two round trips, however many tables there are. Changes are counted apart. */
export async function readInstalled(session: Session, captures: readonly PlanCapture[]): Promise<LiveDatabase> {
  const [objects, found] = await ask(session, [liveObjects(null), foundSeals(captures)]);
  return liveDatabase(session, { objects, found, records: await ask(session, recordsOf(objects)) });
}

/** What stands as the catalog says it, and what the bookkeeping says beside it. */
export type InstalledParts = {
  readonly objects: readonly LiveObject[];
  readonly found: ReadonlyMap<string, string>;
  readonly records: Answers<ReturnType<typeof recordsOf>>;
};

type Answers<Questions extends readonly Question<unknown>[]> = {
  readonly [Place in keyof Questions]: Questions[Place] extends Question<infer Answer> ? Answer : never;
};

/** Of changes, sizes and sequences nothing is known yet. */
export function liveDatabase({ database, serverMajor }: Session, { objects, found, records }: InstalledParts): LiveDatabase {
  const [inventory, registered, watermarks, copies, recorded] = records;
  return {
    database,
    serverMajor,
    objects,
    installed: inventory.filter(({ kind }) => kind !== TERMS),
    terms: new Map(inventory.filter(({ kind }) => kind === TERMS).map(({ name, fingerprint }) => [name, JSON.parse(fingerprint) as Terms])),
    registered,
    watermarks,
    copies,
    changes: new Map(),
    sizes: new Map(),
    sequences: [],
    seals: { found, recorded },
  };
}

/** What the tables of the bookkeeping say, as far as they stand. */
export function recordsOf(objects: readonly LiveObject[]) {
  const tables = new Set(objects.filter(({ kind }) => kind === 'table').map(({ bare }) => bare));
  const rowsOf = <Value>(table: string, query: string, read: (row: Row) => Value): Question<readonly Value[]> => ({
    statement: tables.has(table) ? { text: query } : null,
    read: (rows) => rows.map(read),
  });
  return [
    rowsOf('installed', INSTALLED, toInstalled),
    rowsOf('acknowledged', REGISTERED, (row) => ({ sync: text(row, 'sync'), target: text(row, 'target') })),
    rowsOf('watermark', WATERMARKS, (row) => ({ sync: text(row, 'sync'), source: text(row, 'source') })),
    rowsOf('initial_copy', COPIES, (row) => ({ sync: text(row, 'sync'), source: text(row, 'source'), relation: text(row, 'relation') })),
    recordedSeals(tables.has('seal')),
  ] as const;
}

/** Live objects, all of them or those whose relation, function or (for triggers) table has one of the names. */
export function liveObjects(names: readonly string[] | null): Question<readonly LiveObject[]> {
  return {
    statement: { text: LIVE_OBJECTS, values: [names === null ? null : JSON.stringify(names)], name: 'live_objects' },
    read: (rows) => rows.map(toObject).sort((a, b) => compare(a.kind, b.kind) || compare(a.name, b.name)),
  };
}

/** One query. */
export async function readObjects(session: Session, names: readonly string[] | null): Promise<readonly LiveObject[]> {
  return askAgain(session, liveObjects(names));
}

/** How many changes delta tables hold, by bare name. */
export function changesIn(deltas: readonly string[]): Question<ReadonlyMap<string, number>> {
  return {
    statement: deltas.length === 0 ? null : { text: countChangesSql(deltas) },
    read: (rows) => new Map(rows.map((row) => [deltas[Number(row['ordinal'])] ?? '', Number(row['changes'])])),
  };
}

type Grants = readonly (readonly unknown[])[];

const hashOf = (grants: Grants): string => contentHash(grants).slice(0, 12);

/** Nearly every object's. */
const NO_GRANTS = hashOf([]);

function toObject(row: Row): LiveObject {
  const bare = text(row, 'name');
  const grants = toLists(row['grants'] ?? null);
  const fingerprint = `${text(row, 'fingerprint')}.${grants.length === 0 ? NO_GRANTS : hashOf(grants)}`;
  const grantees = [...new Set(grants.map(([grantee]) => String(grantee)))];
  const common = { bare, columns: toColumns(row['columns'] ?? null), owned: row['owned'] === 't', grantees, fingerprint };
  const kind = text(row, 'kind');
  switch (kind) {
    case 'trigger': {
      const table = { schema: text(row, 'table_schema'), name: text(row, 'table_name') };
      return { ...common, kind, name: `${quoteIdent(bare)} on ${displayName(table)}`, trigger: { table, calls: text(row, 'calls') } };
    }
    case 'function':
      return { ...common, kind, name: `${displayName({ schema: 'sarrio', name: bare })}(${text(row, 'arguments')})`, trigger: null };
    case 'table':
    case 'index':
    case 'sequence':
      return { ...common, kind, name: displayName({ schema: 'sarrio', name: bare }), trigger: null };
    case 'schema':
      return { ...common, kind, name: bare, trigger: null };
    default:
      return { ...common, kind: 'other', name: bare, trigger: null };
  }
}

/** The JSON lists that the query builds for each column: name, type, and more that only the fingerprint needs. */
function toColumns(json: string | null): readonly LiveColumn[] {
  return toLists(json).map(([name, type]) => ({ name: String(name), type: String(type) }));
}

function toLists(json: string | null): readonly (readonly unknown[])[] {
  return json === null ? [] : (JSON.parse(json) as readonly (readonly unknown[])[]);
}

function toInstalled(row: Row): InstalledObject {
  return {
    kind: text(row, 'kind'),
    name: text(row, 'name'),
    project: text(row, 'project'),
    hash: text(row, 'hash'),
    fingerprint: text(row, 'fingerprint'),
    planFormat: text(row, 'plan_format'),
  };
}

function text(row: Row, column: string): string {
  return row[column] ?? '';
}

/** By code units, the same everywhere. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
