import { kick } from '../runner/8-round/control.ts';
import { atSources } from './planned-sync.ts';
import type { Verb } from './verb.ts';

/** `sarrio kick`: the runner looks at once, and tries again what waits for a person. */
export const verb: Verb = {
  configure: (command) => void command.requiredOption('--sync <name>', 'the sync'),
  run: async (options, context) => {
    const sync = String(options['sync']);
    await atSources(options, context, kick);
    return { exit: 'ok', data: { sync }, diagnostics: [], text: `Sync ${sync} looks at once; its stopped tables are tried again.` };
  },
};
