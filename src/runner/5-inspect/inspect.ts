import { failure, type SarrioError } from '../../plan/errors.ts';
import type { Plan } from '../../plan/plan.ts';
import { displayName } from '../../sql/quote.ts';
import { sqlState } from '../postgres/connection-failure.ts';
import { failureText } from '../postgres/error-text.ts';
import { ask, type Attempt, attempt, order, type Question } from '../postgres/question.ts';
import type { Session } from '../postgres/session.ts';
import { deltasAtRisk } from './delta-columns.ts';
import type { BadExpression, Inspection, Inspections } from './inspection.ts';
import { BEGIN_INSPECTION, FINISH_INSPECTION, LIMIT_INSPECTION } from './installed.sql.ts';
import { type Arrival, arrivals, expressions, plannedTables } from './plan-tables.ts';
import { changesIn, liveDatabase, liveObjects, recordsOf } from './read-installed.ts';
import { sequencesOf } from './read-sequences.ts';
import { foundSeals } from './seal.ts';
import { lackingOnSequences } from './sequence-rights.ts';
import { filledTables, roleFactsOf, type TableFacts, tableFacts } from './read-tables.ts';
import { waitsForCopy } from './waits-for-copy.ts';
import type { Row } from '../postgres/statement.ts';

type Sessions = ReadonlyMap<string, Session>;

/**
 * Inspects every database of a plan, all at once, each in one snapshot: in three round trips, however many tables there are, and one more
 * where targets that must be empty are not. `countAll` counts every delta table's changes, not only of those that the plan drops.
 */
export async function inspectDatabases(options: { plan: Plan; sessions: Sessions; countAll?: boolean }): Promise<Inspections> {
  const { plan, sessions, countAll = false } = options;
  const found = await atEach(sessions, (session) => inspectSnapshot({ plan, session, countAll }));
  return atEach(sessions, (session) => {
    const inspection = found.get(session.database);
    if (!inspection) throw new Error(`${session.database} was not inspected`);
    const waiting = arrivals(plan, session.database).filter(
      (arrival) => arrival.planned.existingRows === 'refuse' && waitsForCopy(arrival, inspection.live, found.get(arrival.source)?.live),
    );
    return withTried({ plan, session, inspection, waiting });
  });
}

/** In all databases at once; the first failure by the order of databases is thrown when all have ended. */
async function atEach<Value>(sessions: Sessions, work: (session: Session) => Promise<Value>): Promise<ReadonlyMap<string, Value>> {
  const each = [...sessions].map(async ([database, session]) => [database, await explained(database, () => work(session))] as const);
  const ends = await Promise.allSettled(each);
  return new Map(
    ends.map((end) => {
      if (end.status === 'rejected') throw end.reason;
      return end.value;
    }),
  );
}

async function inspectSnapshot(options: { plan: Plan; session: Session; countAll: boolean }): Promise<Inspection> {
  const { plan, session, countAll } = options;
  const { database } = session;
  const planned = plan.databases[database];
  const { runner, reader } = planned?.roles ?? {};
  const planTables = plannedTables(plan, database).map(({ table }) => table);
  const [, , objects, found, own, ofRunner, ofReader, tables, missingOnSequences] = await ask(session, [
    order(BEGIN_INSPECTION),
    order(LIMIT_INSPECTION),
    liveObjects(null),
    foundSeals(planned?.captures ?? []),
    roleFactsOf(session),
    roleFactsOf(session, runner),
    roleFactsOf(session, reader),
    tableFacts(planTables, runner ?? null),
    lackingOnSequences(plan, database, runner ?? null),
  ]);
  if (own === null) throw new Error('the server does not know the role of this session');
  const atRisk = deltasAtRisk({ plan, database, objects, all: countAll });
  const [changes, , ...records] = await ask(session, [changesIn(atRisk), order(FINISH_INSPECTION), ...recordsOf(objects)]);
  const missing = [ofRunner === null ? runner : undefined, ofReader === null ? reader : undefined];
  return {
    live: { ...liveDatabase(session, { objects, found, records }), changes, sizes: new Map([...tables.values()].flatMap(({ sizes }) => [...sizes])) },
    role: own,
    runner: ofRunner ?? own,
    missingRoles: [...new Set(missing.flatMap((name) => name ?? []))],
    tables,
    missingOnSequences,
    occupied: [],
    badExpressions: [],
  };
}

type Tried = { readonly plan: Plan; readonly session: Session; readonly inspection: Inspection; readonly waiting: readonly Arrival[] };

/**
 * What is outside of the snapshot, since a failed statement would end it: sequences, filters and computed columns, and which targets hold
 * rows. A table that is missing or cannot be read is reported by other checks.
 */
async function withTried({ plan, session, inspection, waiting }: Tried): Promise<Inspection> {
  const { database } = session;
  const { tables } = inspection;
  const readable = waiting.filter(({ table }) => isReadable(tables.get(displayName(table.target))));
  const filled = filledTables(readable.map(({ table }) => table.target));
  const sequences = plan.databases[database]?.sequences ?? [];
  const tried = expressions(plan, database).filter(({ table }) => isReadable(tables.get(table)));
  const attempts = await attempt(session, [
    ...sequences.map(({ read }) => ({ text: read })),
    ...tried.map(({ check }) => ({ text: check })),
    ...(filled.statement === null ? [] : [filled.statement]),
  ]);
  const ofExpressions = attempts.slice(sequences.length);
  const full = filled.read(rowsOf(ofExpressions[tried.length]));
  return {
    ...inspection,
    live: { ...inspection.live, sequences: sequencesOf(sequences, attempts) },
    badExpressions: tried.flatMap(({ sync, table }, place): readonly BadExpression[] => {
      const end = ofExpressions[place];
      return end?.kind === 'failed' ? [{ sync, table, error: failureText(end.error) }] : [];
    }),
    occupied: await occupiedOf(
      session,
      readable.filter(({ table }) => full.has(displayName(table.target))),
    ),
  };
}

function rowsOf(end: Attempt | undefined): readonly Row[] {
  if (end?.kind === 'failed') throw end.error;
  return end?.rows ?? [];
}

/** Most targets are empty, and their files tell it; only the others are looked into. */
async function occupiedOf(session: Session, filled: readonly Arrival[]): Promise<readonly Arrival[]> {
  const asked = filled.map((arrival): Question<boolean> => {
    const route = arrival.table.routes.find(({ targets }) => targets.includes(session.database));
    return { statement: route ? { text: route.apply.hasRows } : null, read: ([row]) => row?.['has_rows'] === 't' };
  });
  const answers = await ask(session, asked);
  return filled.filter((_, place) => answers[place]);
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
