import { failure } from '../../plan/errors.ts';
import type { Plan } from '../../plan/plan.ts';
import { planHash } from '../../plan/plan-hash.ts';
import { TERMS, termsHash, termsOf } from '../../plan/terms.ts';
import type { Session } from '../postgres/session.ts';
import { hasInstalled, readInstalled, readTouched } from './source.sql.ts';

type Asking = Pick<Session, 'query'>;

/** Refuses a plan that a database does not have installed: capture and rounds must come from one compilation. */
export async function refuseUnapplied(plan: Plan, database: string, session: Asking): Promise<void> {
  await refuse(plan, { database, session, goesOn: async () => new Set() });
}

/**
 * The same for rounds. While a migration is half way, the captures of the tables that it touches may be those that come after it; these tables rest, and
 * the plan from which it began goes on with all others.
 */
export async function refuseUnrunnable(plan: Plan, database: string, session: Asking): Promise<void> {
  await refuse(plan, { database, session, goesOn: () => touchedTables(plan, session) });
}

type Refusing = { readonly database: string; readonly session: Asking; readonly goesOn: () => Promise<ReadonlySet<string>> };

async function refuse(plan: Plan, { database, session, goesOn }: Refusing): Promise<void> {
  const objects = plan.databases[database]?.objects ?? [];
  const exists = (await session.query(hasInstalled)).rows[0]?.['exists'] === 't';
  const rows = exists ? (await session.query(readInstalled, [plan.project])).rows : [];
  const installed = new Map(rows.map((row) => [`${row['kind']} ${row['name']}`, row['hash']]));
  const terms = [...termsOf(plan, database)].map(([name, agreed]) => ({
    kind: TERMS,
    name,
    group: name.slice(name.indexOf('/') + 1),
    hash: termsHash(agreed),
  }));
  const wanted = [...objects, ...(objects.length === 0 ? [] : terms)];
  const other = wanted.filter(({ kind, name, hash }) => installed.get(`${kind} ${name}`) !== hash);
  if (other.length === 0) return;
  const touched = exists ? await goesOn() : new Set<string>();
  const first = other.find(({ group }) => !touched.has(group));
  if (first === undefined) return;
  throw failure('refused', {
    code: 'SAR608',
    where: `database ${database}`,
    message: `generated/ was not applied here: ${other.length} of ${wanted.length} objects and terms differ, among them ${first.kind} ${first.name}`,
    hint: 'Run: sarrio plan, then sarrio apply',
  });
}

async function touchedTables(plan: Plan, session: Asking): Promise<ReadonlySet<string>> {
  return new Set((await session.query(readTouched, [plan.project, planHash(plan)])).rows.map((row) => row['relation'] ?? ''));
}
