import { resolve } from 'node:path';
import type { Diagnostic } from '../plan/diagnostic.ts';
import { compareGenerated, type GeneratedChanges, loadGenerated } from '../plan/generated-files.ts';
import { addConfigOptions, readInputs } from './config-options.ts';
import { parseCount } from './duration.ts';
import { addShadow } from './shadow/add-shadow.ts';
import type { Verb } from './verb.ts';

/** `sarrio check`: everything that can be known without a database, for every pull request: faults, warnings, and whether `generated/` is up to date. */
export const verb: Verb = {
  configure: (command) =>
    void addShadow(
      addConfigOptions(command).option('--max-warnings <number>', 'exit 2 when there are more', parseCount),
      'then try generated/ on new databases of a server: it installs, plans empty again, and goes again',
    ),
  run: async (options, context) => {
    const dir = String(options['generated']);
    // Loaded while another process evaluates the config.
    const [{ loaded, lock }, { compileConfig }] = await Promise.all([readInputs(options, context), import('../compiler/compile.ts')]);
    const { files, warnings } = compileConfig(loaded, lock);
    const changes = await compareGenerated(resolve(context.cwd, dir), files);
    const diagnostics = [...warnings, ...staleFaults(changes, dir), ...tooMany(warnings.length, options['maxWarnings'])];
    const isFine = !diagnostics.some(({ severity }) => severity === 'error');
    if (isFine && options['shadow'] !== undefined) {
      const { shadowResult } = await import('./shadow/shadow-result.ts');
      const proof = await shadowResult(options['shadow'], { generated: await loadGenerated(resolve(context.cwd, dir)), lock, context });
      return { ...proof, diagnostics: [...diagnostics, ...proof.diagnostics] };
    }
    const text = isFine ? `Fine: ${warnings.length} warnings, ${files.size} generated files up to date.` : '';
    return { exit: isFine ? 'ok' : 'differs', data: { warnings: warnings.length, files: files.size, ...changes }, diagnostics, text };
  },
};

function staleFaults({ written, deleted }: GeneratedChanges, dir: string): readonly Diagnostic[] {
  const hint = 'Run `sarrio compile` and commit what it writes.';
  const fault = (path: string, message: string): Diagnostic => ({ code: 'SAR308', severity: 'error', message, hint, span: null, where: `${dir}/${path}` });
  return [
    ...written.map((path) => fault(path, 'it is not what the config and the schema lock give')),
    ...deleted.map((path) => fault(path, 'nothing in the config gives this file any more')),
  ];
}

function tooMany(warnings: number, most: unknown): readonly Diagnostic[] {
  if (typeof most !== 'number' || warnings <= most) return [];
  const message = `there are ${warnings} warnings, and --max-warnings allows ${most}`;
  return [{ code: 'SAR309', severity: 'error', message, hint: 'Put them right, or allow as many as are meant to be.', span: null, where: null }];
}
