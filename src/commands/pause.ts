import { pause } from '../runner/8-round/control.ts';
import { atSources } from './planned-sync.ts';
import type { Verb } from './verb.ts';

/** `sarrio pause`: a sync rests, in every runner and through restarts, until `sarrio resume`. */
export const verb: Verb = {
  configure: (command) => void command.requiredOption('--sync <name>', 'the sync'),
  run: async (options, context) => {
    const sync = String(options['sync']);
    const changed = (await atSources(options, context, (source, name) => pause(source, name, context.env['USER'] ?? 'somebody'))).includes(true);
    const text = changed
      ? `Sync ${sync} is paused: a round or copy under way ends, then its targets are left alone. Their changes are kept. Go on with: sarrio resume --sync ${sync}`
      : `Sync ${sync} was paused already.`;
    return { exit: 'ok', data: { sync, changed }, diagnostics: [], text };
  },
};
