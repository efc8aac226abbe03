import { kick } from '../runner/8-round/control.ts';
import { atSources } from './planned-sync.ts';
import type { Verb } from './verb.ts';

/** `sarrio kick`: a full copy is made now, or by the runner that comes next; any other sync looks for changes at once. */
export const verb: Verb = {
  configure: (command) => void command.requiredOption('--sync <name>', 'the sync'),
  run: async (options, context) => {
    const sync = String(options['sync']);
    const user = context.env['USER'] ?? 'somebody';
    const copies = await atSources(options, context, async (source, name, { mode }) => {
      await kick(source, name, { isCopy: mode === 'full-copy', user });
      return mode === 'full-copy';
    });
    const isCopy = copies.includes(true);
    const text = isCopy
      ? `A full copy of sync ${sync} is asked for: a running sarrio run begins with it, or else the next one does.`
      : `Whoever runs sync ${sync} looks for changes now.`;
    return { exit: 'ok', data: { sync, isCopy }, diagnostics: [], text };
  },
};
