import { failure } from '../plan/errors.ts';
import { type Flow, flowsOf, namedFlows } from '../plan/flows.ts';
import { refuseMissingRights } from '../runner/5-inspect/own-rights.ts';
import { beginAnew } from '../runner/8-round/control.ts';
import { unsentChanges } from '../runner/8-round/masters/unsent.ts';
import type { Plan, PlanMultiMaster } from '../plan/plan.ts';
import { loadNamed } from './change-options.ts';
import { databaseConnector } from './plan-databases.ts';
import type { Verb, VerbContext } from './verb.ts';

/** `sarrio copy`: a stream begins anew, so that the runner copies all its tables again before it follows on. */
export const verb: Verb = {
  configure: (command) =>
    void command
      .requiredOption('--sync <name>', 'the sync')
      .requiredOption('--target <database>', 'the target whose tables are copied')
      .option('--replace', 'replace the rows that the target holds (without it existingRows of the sync says what becomes of them)'),
  run: async (options, context) => {
    const { plan } = await loadNamed(options, context);
    const [sync, target] = [String(options['sync']), String(options['target'])];
    const planned = plan.syncs[sync];
    const flows = planned === undefined ? [] : flowsOf(planned).filter(({ targets }) => targets.includes(target));
    if (planned?.mode === 'full-copy') throw notFollowed(sync);
    if (planned === undefined || flows.length === 0) {
      throw failure('invalid', { code: 'SAR610', message: `the plan has no stream of sync ${sync} to ${target}`, hint: streamsText(plan) });
    }
    if (planned.mode === 'multi-master' && planned.members[0] === target) throw seedRefused(sync, target);
    const replace = options['replace'] === true;
    const unsent = planned.mode === 'multi-master' ? await unsentAt({ plan, context }, { sync, planned, target }) : null;
    for (const flow of flows) await copyAnew({ plan, context, flow }, { sync, target, replace });
    const text = `All tables of sync ${sync} will be copied to ${target} again${replace ? ', replacing its rows,' : ''}; a running sarrio run begins with it by itself.`;
    return { exit: 'ok', data: { sync, target, replace, unsent }, diagnostics: [], text: [text, ...unsentLines(unsent, target)].join('\n') };
  },
};

/** What was written at a member and has not reached all others goes with the rows that are replaced. Null when it does not answer. */
async function unsentAt(at: { plan: Plan; context: VerbContext }, of: { sync: string; planned: PlanMultiMaster; target: string }): Promise<number | null> {
  const session = await databaseConnector(at.plan, at.context)(of.target, 'status').catch(() => null);
  if (session === null) return null;
  try {
    return await unsentChanges(session, of.sync, of.planned);
  } finally {
    await session.close();
  }
}

function unsentLines(unsent: number | null, target: string): readonly string[] {
  if (unsent === null || unsent === 0) return [];
  return [`${unsent} changes that were made at ${target} have not reached all others; where they have reached nobody, the copy replaces them.`];
}

type Copied = { readonly sync: string; readonly target: string; readonly replace: boolean };

async function copyAnew(at: { plan: Plan; context: VerbContext; flow: Flow }, { sync, target, replace }: Copied): Promise<void> {
  const { plan, context, flow } = at;
  const source = await databaseConnector(plan, context)(flow.source, 'install');
  try {
    await refuseMissingRights(plan, source, 'runner');
    if (await beginAnew(source, { sync, wake: flow.wake }, { target, replace })) return;
  } finally {
    await source.close();
  }
  const message = `the stream to ${target} is not registered`;
  throw failure('refused', { code: 'SAR602', where: `database ${flow.source}`, message, hint: 'Run: sarrio apply' });
}

function notFollowed(sync: string): Error {
  const message = `sync ${sync} is a full copy: it replaces all rows every time, and follows no changes that it could begin anew with`;
  return failure('refused', { code: 'SAR610', message, hint: `To copy now: sarrio kick --sync ${sync}` });
}

function seedRefused(sync: string, target: string): Error {
  return failure('refused', {
    code: 'SAR610',
    message: `${target} is the first member of sync ${sync}, from which the others are copied`,
    hint: 'Name another member first in the config, compile and apply; then it can be copied from that one.',
  });
}

function streamsText({ syncs }: Plan): string {
  return `It has: ${namedFlows(syncs)
    .map(({ sync, flow }) => `${sync} to ${flow.targets.join(', ')}`)
    .join('; ')}`;
}
