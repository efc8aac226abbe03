import { resolve } from 'node:path';
import { compileConfig } from '../compiler/compile.ts';
import { loadConfig } from '../compiler/1-load/load-config.ts';
import { compareGenerated, LOCK_FILE, readIfPresent, writeGenerated } from '../plan/generated-files.ts';
import { readLock } from '../plan/read-lock.ts';
import { LOCK_FORMAT, type SchemaLock } from '../plan/schema-lock.ts';
import type { Verb, VerbResult } from './verb.ts';

/** `sarrio compile`: config and schema lock to SQL files and plan. With `--check` it only says whether they are up to date. */
export const verb: Verb = {
  configure: (command) =>
    void command
      .option('--config <file>', 'the config', 'replication.config.ts')
      .option('--check', 'write nothing; exit 2 when the generated files are out of date'),
  run: async (options, context) => {
    const dir = String(options['generated']);
    const folder = resolve(context.cwd, dir);
    const loaded = await loadConfig({ path: String(options['config']), cwd: context.cwd });
    const { files, warnings } = compileConfig(loaded, await readLockOf({ folder, dir }));
    const check = options['check'] === true;
    const changes = check ? await compareGenerated(folder, files) : await writeGenerated(folder, files);
    return { ...outcome({ changes, check, dir, count: files.size }), diagnostics: warnings };
  },
};

/** No lock at all is an empty one: then a rule names every database that was not pulled, with its place in the config. */
async function readLockOf({ folder, dir }: { folder: string; dir: string }): Promise<SchemaLock> {
  const text = await readIfPresent(resolve(folder, LOCK_FILE));
  return text === null ? { format: LOCK_FORMAT, databases: {} } : readLock(text, `${dir}/${LOCK_FILE}`);
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
