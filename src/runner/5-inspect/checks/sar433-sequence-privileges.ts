import type { Diagnostic } from '../../../plan/diagnostic.ts';
import { displayName, quoteIdent } from '../../../sql/quote.ts';
import { type Inspection, type LiveCheck, liveFault } from '../inspection.ts';

/** What the runner needs on users' sequences: to read those that it carries or warns of, and to write those that it carries to. */
export const sequencePrivileges: LiveCheck = {
  code: 'SAR433',
  summary: 'the role may look at the sequences that are watched, and carry on those of the target',
  run: ({ database, inspection }) => sequenceFaults(database, inspection),
};

export function sequenceFaults(database: string, { runner, missingOnSequences }: Pick<Inspection, 'runner' | 'missingOnSequences'>): readonly Diagnostic[] {
  const grantee = quoteIdent(runner.role);
  return missingOnSequences.map(({ sequence, privileges }) => {
    const name = displayName(sequence);
    return liveFault({
      code: 'SAR433',
      database,
      message: `role ${runner.role} lacks ${privileges} on sequence ${name}`,
      hint: `Run: GRANT USAGE ON SCHEMA ${quoteIdent(sequence.schema)} TO ${grantee};\nGRANT ${privileges} ON SEQUENCE ${name} TO ${grantee};`,
    });
  });
}
