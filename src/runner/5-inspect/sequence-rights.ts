import type { Plan } from '../../plan/plan.ts';
import { neededOnSequences } from '../../plan/sequence-rights.ts';
import type { QualifiedName } from '../../sql/quote.ts';
import type { Question } from '../postgres/question.ts';
import { MISSING_ON_SEQUENCES } from './tables.sql.ts';

/** A user's sequence on which a role lacks rights that rounds need. */
export type MissingOnSequence = { readonly sequence: QualifiedName; readonly privileges: string };

/** What a role lacks on the sequences that it has to look at, and on those that it carries on. */
export function lackingOnSequences(plan: Plan, database: string, role: string | null): Question<readonly MissingOnSequence[]> {
  const wanted = neededOnSequences(plan, database);
  return {
    statement: wanted.length === 0 ? null : { text: MISSING_ON_SEQUENCES, values: [JSON.stringify(wanted), role] },
    read: (rows) => rows.map((row) => ({ sequence: { schema: row['schema'] ?? '', name: row['name'] ?? '' }, privileges: row['privileges'] ?? '' })),
  };
}
