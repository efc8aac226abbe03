import { failure } from '../plan/errors.ts';
import { loadGenerated } from '../plan/generated-files.ts';
import { refuseMissingRights } from '../runner/5-inspect/own-rights.ts';
import { beginAnew } from '../runner/8-round/control.ts';
import { databaseConnector } from './plan-databases.ts';
import type { Verb } from './verb.ts';

/** `sarrio copy`: a stream begins anew, so that the runner copies all its tables again before it follows on. */
export const verb: Verb = {
  configure: (command) =>
    void command
      .requiredOption('--sync <name>', 'the sync')
      .requiredOption('--target <database>', 'the target whose tables are copied')
      .option('--replace', 'replace the rows that the target holds (without it the copy refuses tables that hold rows)'),
  run: async (options, context) => {
    const { plan } = await loadGenerated(String(options['generated']));
    const [sync, target] = [String(options['sync']), String(options['target'])];
    const found = plan.syncs[sync];
    if (!found?.targets.includes(target)) {
      throw failure('invalid', { code: 'SAR610', message: `the plan has no stream of sync ${sync} to ${target}`, hint: streamsText(plan.syncs) });
    }
    const replace = options['replace'] === true;
    const source = await databaseConnector(plan, context)(found.source, 'install');
    try {
      await refuseMissingRights(plan, source, 'runner');
      if (!(await beginAnew(source, { sync, wake: found.wake }, { target, replace })))
        throw failure('refused', {
          code: 'SAR602',
          where: `database ${found.source}`,
          message: `the stream to ${target} is not registered`,
          hint: 'Run: sarrio apply',
        });
    } finally {
      await source.close();
    }
    const text = `All tables of sync ${sync} will be copied to ${target} again${replace ? ', replacing its rows,' : ''}; a running sarrio run begins with it by itself.`;
    return { exit: 'ok', data: { sync, target, replace }, diagnostics: [], text };
  },
};

function streamsText(syncs: Readonly<Record<string, { readonly targets: readonly string[] }>>): string {
  return `It has: ${Object.entries(syncs)
    .map(([name, { targets }]) => `${name} to ${targets.join(', ')}`)
    .join('; ')}`;
}
