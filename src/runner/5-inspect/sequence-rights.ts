import type { Plan } from '../../plan/plan.ts';
import { displayName, type QualifiedName } from '../../sql/quote.ts';
import type { Question } from '../postgres/question.ts';
import { MISSING_ON_SEQUENCES } from './tables.sql.ts';

/** A user's sequence on which a role lacks rights that rounds need. */
export type MissingOnSequence = { readonly sequence: QualifiedName; readonly privileges: string };

/** What a role lacks on the sequences that it has to look at, and on those that it carries on. */
export function lackingOnSequences(plan: Plan, database: string, role: string | null): Question<readonly MissingOnSequence[]> {
  const wanted = neededOn(plan, database);
  return {
    statement: wanted.length === 0 ? null : { text: MISSING_ON_SEQUENCES, values: [JSON.stringify(wanted), role] },
    read: (rows) => rows.map((row) => ({ sequence: { schema: row['schema'] ?? '', name: row['name'] ?? '' }, privileges: row['privileges'] ?? '' })),
  };
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
