import { failure } from '../../plan/errors.ts';
import type { Plan } from '../../plan/plan.ts';
import { TERMS, termsHash, termsOf } from '../../plan/terms.ts';
import type { Session } from '../postgres/session.ts';
import { hasInstalled, readInstalled } from './source.sql.ts';

/** Refuses to run a plan that a database does not have installed: capture and rounds must come from one compilation. */
export async function refuseUnapplied(plan: Plan, database: string, session: Pick<Session, 'query'>): Promise<void> {
  const objects = plan.databases[database]?.objects ?? [];
  const exists = (await session.query(hasInstalled)).rows[0]?.['exists'] === 't';
  const rows = exists ? (await session.query(readInstalled, [plan.project])).rows : [];
  const installed = new Map(rows.map((row) => [`${row['kind']} ${row['name']}`, row['hash']]));
  const terms = [...termsOf(plan, database)].map(([name, agreed]) => ({ kind: TERMS, name, hash: termsHash(agreed) }));
  const wanted = [...objects, ...(objects.length === 0 ? [] : terms)];
  const other = wanted.filter(({ kind, name, hash }) => installed.get(`${kind} ${name}`) !== hash);
  const first = other[0];
  if (first === undefined) return;
  throw failure('refused', {
    code: 'SAR608',
    where: `database ${database}`,
    message: `generated/ was not applied here: ${other.length} of ${wanted.length} objects and terms differ, among them ${first.kind} ${first.name}`,
    hint: 'Run: sarrio plan, then sarrio apply',
  });
}
