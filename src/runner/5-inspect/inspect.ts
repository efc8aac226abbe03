import { failure, type SarrioError } from '../../plan/errors.ts';
import type { Plan } from '../../plan/plan.ts';
import { displayName } from '../../sql/quote.ts';
import { sqlState } from '../postgres/connection-failure.ts';
import { failureText } from '../postgres/error-text.ts';
import type { Session } from '../postgres/session.ts';
import { deltasAtRisk } from './delta-columns.ts';
import type { BadExpression, Inspection, Inspections } from './inspection.ts';
import { BEGIN_INSPECTION, FINISH_INSPECTION } from './installed.sql.ts';
import { type Arrival, arrivals, expressions, plannedTables } from './plan-tables.ts';
import { countChanges, readInstalled } from './read-installed.ts';
import { readSequences } from './read-sequences.ts';
import { missingOnSequences } from './sequence-rights.ts';
import { readFilled, readRole, readTables, type TableFacts } from './read-tables.ts';
import { waitsForCopy } from './waits-for-copy.ts';

type Sessions = ReadonlyMap<string, Session>;

/** Inspects every database of a plan, each in one snapshot. `countAll` counts every delta table's changes, not only of those that the plan drops. */
export async function inspectDatabases(options: { plan: Plan; sessions: Sessions; countAll?: boolean }): Promise<Inspections> {
  const { plan, sessions, countAll = false } = options;
  const found = new Map<string, Inspection>();
  for (const [database, session] of sessions) {
    found.set(database, await explained(database, () => inspectDatabase({ plan, session, countAll })));
  }
  for (const [database, session] of sessions) {
    const inspection = found.get(database);
    if (!inspection) continue;
    const waiting = arrivals(plan, database).filter(
      (arrival) => arrival.planned.existingRows === 'refuse' && waitsForCopy(arrival, inspection.live, found.get(arrival.source)?.live),
    );
    const occupied = await explained(database, () => readOccupied({ session, database, waiting, tables: inspection.tables }));
    found.set(database, { ...inspection, occupied });
  }
  return found;
}

async function inspectDatabase(options: { plan: Plan; session: Session; countAll: boolean }): Promise<Inspection> {
  const { plan, session, countAll } = options;
  const { database } = session;
  await session.query(BEGIN_INSPECTION);
  const live = await readInstalled(session, plan.databases[database]?.captures ?? []);
  const changes = await countChanges(session, deltasAtRisk({ plan, database, objects: live.objects, all: countAll }));
  const roles = await readRoles(plan, session);
  const tables = await readTables(
    session,
    plannedTables(plan, database).map(({ table }) => table),
    roles.runner.role,
  );
  const lacking = await missingOnSequences(plan, session, roles.runner.role);
  await session.query(FINISH_INSPECTION);
  const sequences = await readSequences(session, plan.databases[database]?.sequences ?? []);
  return {
    live: { ...live, changes, sequences, sizes: new Map([...tables.values()].flatMap(({ sizes }) => [...sizes])) },
    ...roles,
    tables,
    missingOnSequences: lacking,
    occupied: [],
    badExpressions: await tryExpressions({ plan, session, tables }),
  };
}

async function readRoles(plan: Plan, session: Session): Promise<Pick<Inspection, 'role' | 'runner' | 'missingRoles'>> {
  const role = await readRole(session);
  if (role === null) throw new Error('the server does not know the role of this session');
  const { runner, reader } = plan.databases[session.database]?.roles ?? {};
  const missingRoles: string[] = [];
  for (const name of new Set([runner, reader])) if (name !== undefined && (await readRole(session, name)) === null) missingRoles.push(name);
  return { role, runner: (runner === undefined ? null : await readRole(session, runner)) ?? role, missingRoles };
}

/** Outside of the snapshot: a failed statement would end it. A table that is missing or cannot be read is reported by other checks. */
async function tryExpressions(options: { plan: Plan; session: Session; tables: ReadonlyMap<string, TableFacts> }): Promise<readonly BadExpression[]> {
  const { plan, session, tables } = options;
  const bad: BadExpression[] = [];
  for (const { sync, table, check } of expressions(plan, session.database)) {
    const facts = tables.get(table);
    if (!isReadable(facts)) continue;
    try {
      await session.query(check);
    } catch (error) {
      if (!session.isOpen()) throw error;
      bad.push({ sync, table, error: failureText(error) });
    }
  }
  return bad;
}

/** Most targets are empty, which one query tells of all of them; only the others are looked into. */
async function readOccupied(options: {
  session: Session;
  database: string;
  waiting: readonly Arrival[];
  tables: ReadonlyMap<string, TableFacts>;
}): Promise<readonly Arrival[]> {
  const { session, database, waiting, tables } = options;
  const occupied: Arrival[] = [];
  // What cannot be read is reported by the check of privileges.
  const readable = waiting.filter(({ table }) => isReadable(tables.get(displayName(table.target))));
  const filled = await readFilled(
    session,
    readable.map(({ table }) => table.target),
  );
  for (const arrival of readable) {
    const route = arrival.table.routes.find(({ targets }) => targets.includes(database));
    if (!route || !filled.has(displayName(arrival.table.target))) continue;
    const { rows } = await session.query(route.apply.hasRows);
    if (rows[0]?.['has_rows'] === 't') occupied.push(arrival);
  }
  return occupied;
}

/** Of a view that stands where a table was, another's code would run with our rights. */
function isReadable(facts: TableFacts | undefined): boolean {
  return facts !== undefined && ['r', 'p'].includes(facts.kind) && facts.privileges.has('SELECT') && !facts.rowSecurity;
}

async function explained<T>(database: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw inspectionFailure(database, error);
  }
}

function inspectionFailure(database: string, error: unknown): SarrioError {
  const where = `database ${database}`;
  if (sqlState(error) === '42501') {
    return failure('refused', {
      code: 'SAR407',
      where,
      cause: error,
      message: `this role may not read what an earlier apply installed: ${failureText(error)}`,
      hint: 'Connect as the role that ran `sarrio apply` before, or make this role a member of it: GRANT <that role> TO <this role>;',
    });
  }
  return failure('failed', {
    code: 'SAR417',
    where,
    cause: error,
    message: `cannot read the catalog: ${failureText(error)}`,
    hint: 'Nothing was changed. Run the same command again; if it fails again, look at the log of the server.',
  });
}
