import { dirname, resolve } from 'node:path';
import { startEvaluator } from '../compiler/1-load/evaluate/evaluator.ts';
import type { Diagnostic } from '../plan/diagnostic.ts';
import { failure, SarrioError } from '../plan/errors.ts';
import type { Memory } from '../compiler/compile.ts';
import { compareGenerated, LOCK_FILE, type SeenFiles, writeGenerated } from '../plan/generated-files.ts';
import { addConfigOptions, type ReadAgain, readInputs } from './config-options.ts';
import { diagnosticsText } from './report/read-frames.ts';
import type { Verb, VerbContext, VerbResult } from './verb.ts';
import { watchFiles } from './watch-files.ts';

type Options = Readonly<Record<string, unknown>>;

/** `sarrio compile`: config and schema lock to SQL files and plan. With `--check` it only says whether they are up to date. */
export const verb: Verb = {
  configure: (command) =>
    void addConfigOptions(command)
      .option('--check', 'write nothing; exit 2 when the generated files are out of date')
      .option('--watch', 'compile again whenever the config, what it imports or the schema lock changes'),
  run: async (options, context) => {
    if (options['watch'] !== true) return (await compileOnce(options, context)).result;
    if (options['check'] === true) throw failure('invalid', { code: 'SAR001', message: '--check and --watch do not go together' });
    return watch(options, context);
  },
};

type CompiledOnce = { readonly result: VerbResult; readonly files: readonly string[] };

/** What is kept from one time to the next, so that only what has changed is made again. */
type Again = ReadAgain & { readonly seen: SeenFiles; memory: Memory | null };

async function compileOnce(options: Options, context: VerbContext, again?: Again): Promise<CompiledOnce> {
  const dir = String(options['generated']);
  const folder = resolve(context.cwd, dir);
  const { loaded, lock, compiler } = await readInputs(options, context, again);
  const { compileConfig, newMemory } = compiler;
  if (again) again.memory ??= newMemory();
  const { files, warnings } = compileConfig(loaded, lock, again?.memory ?? undefined);
  const check = options['check'] === true;
  const changes = check ? await compareGenerated(folder, files) : await writeGenerated(folder, files, again?.seen);
  return { result: { ...outcome({ changes, check, dir, count: files.size }), diagnostics: warnings }, files: loaded.files };
}

/** Until a signal comes. One process evaluates all the time, since starting one takes longer than compiling. */
async function watch(options: Options, context: VerbContext): Promise<VerbResult> {
  const again: Again = { evaluator: startEvaluator(), lock: null, seen: new Map(), memory: null };
  const lock = resolve(context.cwd, String(options['generated']), LOCK_FILE);
  // After a fault the files of the last time are still the ones to look at, and any other file of the folder may be the one that was missing.
  let known: readonly string[] = [];
  try {
    await watchFiles(
      {
        cwd: context.cwd,
        signal: context.signal,
        isWatched: (file) => file === lock || known.includes(file) || known.length === 0,
        folders: () => [lock, ...known].map((file) => dirname(file)),
      },
      async () => {
        const begun = performance.now();
        try {
          const { result, files } = await compileOnce(options, context, again);
          known = files;
          print(context, result.diagnostics, `${result.text}\n`);
        } catch (error) {
          if (!(error instanceof SarrioError)) throw error;
          print(context, error.diagnostics, '');
        }
        context.output.err(`compiled in ${Math.round(performance.now() - begun)} ms; watching\n`);
      },
    );
  } finally {
    again.evaluator.close();
  }
  return { exit: 'ok', data: null, diagnostics: [], text: '' };
}

function print({ output, cwd }: VerbContext, diagnostics: readonly Diagnostic[], text: string): void {
  output.err(diagnosticsText(diagnostics, cwd));
  output.out(text);
}

type Changes = { readonly written: readonly string[]; readonly deleted: readonly string[] };

function outcome(options: { changes: Changes; check: boolean; dir: string; count: number }): Omit<VerbResult, 'diagnostics'> {
  const { changes, check, dir, count } = options;
  const { written, deleted } = changes;
  const isStale = written.length + deleted.length > 0;
  const lines = [
    ...written.map((path) => `${check ? 'out of date' : 'written'}  ${dir}/${path}`),
    ...deleted.map((path) => `${check ? 'superfluous' : 'deleted'}  ${dir}/${path}`),
    summary({ isStale, check, count, dir }),
  ];
  return { exit: check && isStale ? 'differs' : 'ok', data: { upToDate: !isStale, written, deleted }, text: lines.join('\n') };
}

function summary(options: { isStale: boolean; check: boolean; count: number; dir: string }): string {
  const { isStale, check, count, dir } = options;
  if (!isStale) return `${dir}/ is up to date (${count} files).`;
  return check ? `${dir}/ is out of date. Run \`sarrio compile\`.` : 'Review and commit these files, then run `sarrio plan`.';
}
