import { loadGenerated } from '../plan/generated-files.ts';
import { pause } from '../runner/8-round/control.ts';
import { databaseConnector } from './plan-databases.ts';
import { plannedSync } from './planned-sync.ts';
import type { Verb } from './verb.ts';

/** `sarrio pause`: a sync rests, in every runner and through restarts, until `sarrio resume`. */
export const verb: Verb = {
  configure: (command) => void command.requiredOption('--sync <name>', 'the sync'),
  run: async (options, context) => {
    const { plan } = await loadGenerated(String(options['generated']));
    const name = String(options['sync']);
    const sync = plannedSync(plan, name);
    const source = await databaseConnector(plan, context)(sync.source, 'install');
    try {
      const isChanged = await pause(source, { sync: name, wake: sync.wake }, context.env['USER'] ?? 'somebody');
      const text = isChanged
        ? `Sync ${name} is paused: a round or copy under way ends, then its targets are left alone. Their changes are kept. Go on with: sarrio resume --sync ${name}`
        : `Sync ${name} was paused already.`;
      return { exit: 'ok', data: { sync: name, changed: isChanged }, diagnostics: [], text };
    } finally {
      await source.close();
    }
  },
};
