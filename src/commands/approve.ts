import { failure } from '../plan/errors.ts';
import type { Plan } from '../plan/plan.ts';
import { refuseMissingRights } from '../runner/5-inspect/own-rights.ts';
import { announce } from '../runner/8-round/control.ts';
import { approve, readAllWaiting, type Waiting } from '../runner/8-round/guard/approvals.ts';
import { findingsText } from '../runner/8-round/guard/finding.ts';
import { loadNamed } from './change-options.ts';
import { atMembers } from './at-members.ts';
import { databaseConnector } from './plan-databases.ts';
import type { Verb, VerbContext, VerbResult } from './verb.ts';

/** `sarrio approve`: lets changes go on that wait because they delete much; without an id it lists them. */
export const verb: Verb = {
  configure: (command) =>
    void command.argument('[id]', 'what waits, or the beginning of its id').option('--by <name>', 'who approves, for the record ($USER unless given)'),
  run: async (options, context) => {
    const { plan } = await loadNamed(options, context);
    const id = options['id'];
    if (id === undefined) return list(plan, context);
    if (!/^[0-9a-f-]{4,36}$/i.test(String(id)))
      throw failure('invalid', { code: 'SAR661', message: `${String(id)} is no id of something that waits`, hint: LIST });
    const by = String(options['by'] ?? context.env['USER'] ?? 'somebody');
    const approved = await atMembers(plan, { context, role: 'install', members: guardedTargets(plan) }, async (sessions) => {
      for (const session of sessions) await refuseMissingRights(plan, session, 'runner');
      return approve(sessions, { id: String(id).toLowerCase(), by });
    });
    const woken = await wake(plan, context, approved);
    const text = `Approved by ${by}: ${waitingText(approved)}. ${woken ? 'A running sarrio run goes on with it.' : `${approved.source} cannot be reached now; a running sarrio run goes on with it within seconds.`}`;
    return { exit: 'ok', data: { approved, by }, diagnostics: [], text };
  },
};

const LIST = 'Run sarrio approve without an id for a list.';

async function list(plan: Plan, context: VerbContext): Promise<VerbResult> {
  const waiting = await atMembers(plan, { context, role: 'status', members: guardedTargets(plan) }, readAllWaiting);
  const text =
    waiting.length === 0
      ? 'Nothing waits for approval.'
      : waiting.map((each) => `${each.id.slice(0, 8)}  since ${each.heldAt}  ${waitingText(each)}`).join('\n');
  return { exit: 'ok', data: { waiting }, diagnostics: [], text };
}

function waitingText({ sync, source, target, findings }: Waiting): string {
  return `sync ${sync}, ${source} -> ${target}: ${findingsText(findings)}`;
}

function guardedTargets(plan: Plan): readonly string[] {
  const guarded = Object.values(plan.syncs).flatMap((sync) => (sync.mode === 'one-way' && sync.guard !== undefined ? sync.targets : []));
  if (guarded.length > 0) return [...new Set(guarded)];
  throw failure('invalid', {
    code: 'SAR661',
    message: 'no sync of the plan has a guard, so nothing waits for approval',
    hint: 'guard: { deletes: 0.2 } in a sync makes large deletes wait.',
  });
}

/** The runner looks every second anyway. */
async function wake(plan: Plan, context: VerbContext, { sync, source }: Waiting): Promise<boolean> {
  const planned = plan.syncs[sync];
  if (planned?.mode !== 'one-way') return true;
  try {
    const session = await databaseConnector(plan, context)(source, 'install');
    try {
      await announce(session, { sync, wake: planned.wake });
      return true;
    } finally {
      await session.close();
    }
  } catch {
    return false;
  }
}
