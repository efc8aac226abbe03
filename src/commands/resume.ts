import { resume } from '../runner/8-round/control.ts';
import { atSources } from './planned-sync.ts';
import type { Verb } from './verb.ts';

/** `sarrio resume`: a paused sync goes on where it was. */
export const verb: Verb = {
  configure: (command) => void command.requiredOption('--sync <name>', 'the sync'),
  run: async (options, context) => {
    const sync = String(options['sync']);
    const changed = (await atSources(options, context, resume)).includes(true);
    const text = changed ? `Sync ${sync} goes on.` : `Sync ${sync} was not paused.`;
    return { exit: 'ok', data: { sync, changed }, diagnostics: [], text };
  },
};
