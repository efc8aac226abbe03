import type { Plan } from '../../plan/plan.ts';
import { displayName, type QualifiedName } from '../../sql/quote.ts';
import type { Session } from '../postgres/session.ts';
import { MISSING_ON_SEQUENCES } from './tables.sql.ts';

/** A user's sequence on which a role lacks rights that rounds need. */
export type MissingOnSequence = { readonly sequence: QualifiedName; readonly privileges: string };

/** What a role lacks on the sequences that it has to look at, and on those that it carries on. */
export async function missingOnSequences(plan: Plan, session: Session, role: string | null): Promise<readonly MissingOnSequence[]> {
  const wanted = neededOn(plan, session.database);
  if (wanted.length === 0) return [];
  const { rows } = await session.query(MISSING_ON_SEQUENCES, [JSON.stringify(wanted), role]);
  return rows.map((row) => ({ sequence: { schema: row['schema'] ?? '', name: row['name'] ?? '' }, privileges: row['privileges'] ?? '' }));
}

type Needed = QualifiedName & { readonly privilege: 'SELECT' | 'UPDATE' };

function neededOn(plan: Plan, database: string): readonly Needed[] {
  const looked = (plan.databases[database]?.watched ?? []).map(({ sequence }) => needed(sequence, 'SELECT'));
  const carried = Object.values(plan.syncs).flatMap((sync) =>
    sync.mode !== 'one-way' || sync.sequences === undefined || sync.sequences === 'ignore' ? [] : sync.sequences.carried,
  );
  const here = carried.filter(({ target }) => target === database).flatMap(({ to }) => [needed(to, 'SELECT'), needed(to, 'UPDATE')]);
  return [...new Map([...looked, ...here].map((each) => [`${each.privilege} ${displayName(each)}`, each])).values()];
}

function needed({ schema, name }: QualifiedName, privilege: Needed['privilege']): Needed {
  return { schema, name, privilege };
}
