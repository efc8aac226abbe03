import { failure, SarrioError } from '../../plan/errors.ts';
import type { ChangePlan, Step } from '../6-diff/step.ts';
import type { Session } from '../postgres/session.ts';
import { type Group, groupSteps } from './groups.ts';
import { type ApplyContext, runGroup } from './run-group.ts';

/** Runs the steps, one transaction after the other. What was committed before a failure stays; the same command goes on from there. */
export async function applySteps(options: {
  steps: readonly Step[];
  seals: ChangePlan['seals'];
  sessions: ReadonlyMap<string, Session>;
  context: ApplyContext;
}): Promise<void> {
  const { steps, sessions, context } = options;
  const groups = groupSteps(steps);
  const seals = new Map([...options.seals].map(([database, found]) => [database, new Map(found)]));
  for (const [index, group] of groups.entries()) {
    const session = sessions.get(group.database);
    if (!session) throw new Error(`no session for database ${group.database}`);
    const progress = { number: index + 1, of: groups.length };
    context.log({ kind: 'group-started', database: group.database, group: group.name, ...progress, steps: group.steps.map(({ id }) => id) });
    await asPartial(index, () =>
      context.signal.aborted ? interrupted(group) : runGroup({ session, group, context, seen: seals.get(group.database) ?? null }),
    );
    context.log({ kind: 'group-applied', database: group.database, group: group.name });
  }
}

/** A failure after something was committed is another exit: the databases are neither as before nor as planned. */
async function asPartial(committed: number, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof SarrioError) || error.exit !== 'failed' || committed === 0) throw error;
    throw new SarrioError({ exit: 'partial', diagnostics: error.diagnostics, cause: error });
  }
}

async function interrupted(group: Group): Promise<never> {
  throw failure('failed', {
    code: 'SAR512',
    where: `database ${group.database}, group ${group.name}`,
    message: 'interrupted before this group',
    hint: 'Run the same command again: it goes on from here.',
  });
}
