import { pause } from '../runner/8-round/control.ts';
import { atSource } from './planned-sync.ts';
import type { Verb } from './verb.ts';

/** `sarrio pause`: a sync rests, in every runner and through restarts, until `sarrio resume`. */
export const verb: Verb = {
  configure: (command) => void command.requiredOption('--sync <name>', 'the sync'),
  run: (options, context) =>
    atSource(options, context, async (source, name) => {
      const changed = await pause(source, name, context.env['USER'] ?? 'somebody');
      const { sync } = name;
      const text = changed
        ? `Sync ${sync} is paused: a round or copy under way ends, then its targets are left alone. Their changes are kept. Go on with: sarrio resume --sync ${sync}`
        : `Sync ${sync} was paused already.`;
      return { exit: 'ok', data: { sync, changed }, diagnostics: [], text };
    }),
};
