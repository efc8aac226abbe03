import { contentHash } from '../../plan/canonical.ts';
import type { PlanCapture } from '../../plan/plan.ts';
import { TERMS, type Terms } from '../../plan/terms.ts';
import { displayName, quoteIdent } from '../../sql/quote.ts';
import type { Row, Session } from '../postgres/session.ts';
import { COPIES, countChangesSql, INSTALLED, LIVE_OBJECTS, REGISTERED, WATERMARKS } from './installed.sql.ts';
import type { InstalledObject, LiveColumn, LiveDatabase, LiveObject } from './live-database.ts';
import { readRecordedSeals, readSeals } from './seal.ts';

/** Reads what of ours stands in a database: at most seven queries, however many tables there are. Changes are counted apart. */
export async function readInstalled(session: Session, captures: readonly PlanCapture[]): Promise<LiveDatabase> {
  const objects = await readObjects(session, null);
  const has = (table: string): boolean => objects.some((object) => object.kind === 'table' && object.bare === table);
  const rowsIf = async (table: string, query: string): Promise<readonly Row[]> => (has(table) ? (await session.query(query)).rows : []);
  const recorded = (await rowsIf('installed', INSTALLED)).map(toInstalled);
  return {
    database: session.database,
    serverMajor: session.serverMajor,
    objects,
    installed: recorded.filter(({ kind }) => kind !== TERMS),
    terms: new Map(recorded.filter(({ kind }) => kind === TERMS).map(({ name, fingerprint }) => [name, JSON.parse(fingerprint) as Terms])),
    registered: (await rowsIf('acknowledged', REGISTERED)).map((row) => ({ sync: text(row, 'sync'), target: text(row, 'target') })),
    watermarks: (await rowsIf('watermark', WATERMARKS)).map((row) => ({ sync: text(row, 'sync'), source: text(row, 'source') })),
    copies: (await rowsIf('initial_copy', COPIES)).map((row) => ({
      sync: text(row, 'sync'),
      source: text(row, 'source'),
      relation: text(row, 'relation'),
    })),
    changes: new Map(),
    sizes: new Map(),
    sequences: [],
    seals: { found: await readSeals(session, captures), recorded: has('seal') ? await readRecordedSeals(session) : new Map() },
  };
}

/** Live objects, all of them or those whose relation, function or (for triggers) table has one of the names. */
export async function readObjects(session: Session, names: readonly string[] | null): Promise<readonly LiveObject[]> {
  const { rows } = await session.query(LIVE_OBJECTS, [names === null ? null : JSON.stringify(names)], 'live_objects');
  return rows.map(toObject).sort((a, b) => compare(a.kind, b.kind) || compare(a.name, b.name));
}

/** Counts the changes that delta tables hold; the answer is by bare name. */
export async function countChanges(session: Session, deltas: readonly string[]): Promise<ReadonlyMap<string, number>> {
  if (deltas.length === 0) return new Map();
  const { rows } = await session.query(countChangesSql(deltas));
  return new Map(rows.map((row) => [deltas[Number(row['ordinal'])] ?? '', Number(row['changes'])]));
}

function toObject(row: Row): LiveObject {
  const bare = text(row, 'name');
  const grants = toLists(row['grants'] ?? null);
  const fingerprint = `${text(row, 'fingerprint')}.${contentHash(grants).slice(0, 12)}`;
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
