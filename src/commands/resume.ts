import { loadGenerated } from '../plan/generated-files.ts';
import { resume } from '../runner/8-round/control.ts';
import { databaseConnector } from './plan-databases.ts';
import { plannedSync } from './planned-sync.ts';
import type { Verb } from './verb.ts';

/** `sarrio resume`: a paused sync goes on where it was. */
export const verb: Verb = {
  configure: (command) => void command.requiredOption('--sync <name>', 'the sync'),
  run: async (options, context) => {
    const { plan } = await loadGenerated(String(options['generated']));
    const name = String(options['sync']);
    const sync = plannedSync(plan, name);
    const source = await databaseConnector(plan, context)(sync.source, 'install');
    try {
      const isChanged = await resume(source, { sync: name, wake: sync.wake });
      const text = isChanged ? `Sync ${name} goes on.` : `Sync ${name} was not paused.`;
      return { exit: 'ok', data: { sync: name, changed: isChanged }, diagnostics: [], text };
    } finally {
      await source.close();
    }
  },
};
