import { refuseMissingRights } from '../runner/5-inspect/own-rights.ts';
import { type Retried, retryParked } from '../runner/8-round/conflicts/parked.ts';
import { kick } from '../runner/8-round/control.ts';
import { loadNamed } from './change-options.ts';
import { atMembers } from './at-members.ts';
import { atSources, plannedSync } from './planned-sync.ts';
import type { Verb, VerbContext } from './verb.ts';

/**
 * `sarrio kick`: a full copy is made now, or by the runner that comes next; any other sync looks for changes at once, and what waits for a
 * person between masters is tried again: stopped tables and parked rows.
 */
export const verb: Verb = {
  configure: (command) => void command.requiredOption('--sync <name>', 'the sync'),
  run: async (options, context) => {
    const sync = String(options['sync']);
    const user = context.env['USER'] ?? 'somebody';
    const { putBack, stillParked } = await retry(options, context);
    const modes = await atSources(options, context, async (source, name, { mode }) => {
      await kick(source, name, { isCopy: mode === 'full-copy', user });
      return mode;
    });
    const isCopy = modes.includes('full-copy');
    const parked = putBack + stillParked > 0 ? ` Parked rows: ${putBack} put back, ${stillParked} still in the way of others.` : '';
    const text = isCopy
      ? `A full copy of sync ${sync} is asked for: a running sarrio run begins with it, or else the next one does.`
      : modes.includes('multi-master')
        ? `Whoever runs sync ${sync} looks for changes now; its stopped tables are tried again.${parked}`
        : `Whoever runs sync ${sync} looks for changes now.`;
    return { exit: 'ok', data: { sync, isCopy, putBack, stillParked }, diagnostics: [], text };
  },
};

async function retry(options: Readonly<Record<string, unknown>>, context: VerbContext): Promise<Retried> {
  const { plan } = await loadNamed(options, context);
  const name = String(options['sync']);
  const sync = plannedSync(plan, name);
  if (sync.mode !== 'multi-master') return { putBack: 0, stillParked: 0 };
  return atMembers(plan, { context, role: 'target', members: sync.members }, async (sessions) => {
    for (const session of sessions) await refuseMissingRights(plan, session, 'runner');
    return retryParked(plan, name, sessions);
  });
}
