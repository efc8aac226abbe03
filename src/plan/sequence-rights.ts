import { displayName, type QualifiedName } from '../sql/quote.ts';
import type { Plan } from './plan.ts';

/** A right that rounds need on a user's sequence. */
export type Needed = QualifiedName & { readonly privilege: 'SELECT' | 'UPDATE' };

/** What the runner needs on users' sequences in a database: to look at those that it carries or warns of, and to set those that it carries on. */
export function neededOnSequences(plan: Plan, database: string): readonly Needed[] {
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
