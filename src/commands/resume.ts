import { resume } from '../runner/8-round/control.ts';
import { atSource } from './planned-sync.ts';
import type { Verb } from './verb.ts';

/** `sarrio resume`: a paused sync goes on where it was. */
export const verb: Verb = {
  configure: (command) => void command.requiredOption('--sync <name>', 'the sync'),
  run: (options, context) =>
    atSource(options, context, async (source, name) => {
      const changed = await resume(source, name);
      const text = changed ? `Sync ${name.sync} goes on.` : `Sync ${name.sync} was not paused.`;
      return { exit: 'ok', data: { sync: name.sync, changed }, diagnostics: [], text };
    }),
};
