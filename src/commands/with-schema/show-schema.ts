import { SarrioError } from '../../plan/errors.ts';
import type { MadeObject, SchemaFile } from '../../plan/schema-file.ts';
import { displayName } from '../../sql/quote.ts';
import { makeSchema, otherTimes, schemaState } from '../../runner/12-schema/make-schema.ts';
import type { ApplyContext } from '../../runner/7-apply/run-group.ts';
import { systemClock } from '../../runner/clock.ts';
import { changeContext, generatedDir, numberOption } from '../change-options.ts';
import { applyPrinter } from '../print-apply.ts';
import type { VerbContext, VerbResult } from '../verb.ts';
import { withDatabases } from '../with-databases.ts';
import { readSchemaFiles } from './schema-files.ts';

type Options = Readonly<Record<string, unknown>>;
type Files = Awaited<ReturnType<typeof readSchemaFiles>>;

const NOTHING = 'Nothing to make: generated/schema holds no file of `sarrio pull --with-schema`.\n';
const NEXT = 'Next: sarrio pull, then sarrio compile\n';

/** `plan --with-schema`: what of the files is still to be made. */
export async function showSchema(options: Options, context: VerbContext): Promise<VerbResult> {
  const files = await readSchemaFiles(generatedDir(options, context));
  const { clock, log, signal } = { clock: systemClock, log: applyPrinter(context.output), signal: context.signal };
  const surroundings = { plan: planOf(files), env: context.env, lock: 'shared', waitMs: numberOption(options, 'waitLock'), clock, log, signal } as const;
  const states = await withDatabases(surroundings, async (sessions) => {
    const found = [];
    for (const file of files) {
      const session = sessions.get(file.database);
      if (session) found.push({ file, ...(await schemaState(session, file)) });
    }
    return found;
  });
  const faults = states
    .filter(({ missing, there }) => missing.length > 0 && there.length > 0)
    .flatMap(({ file, there }) => otherTimes(file, there).diagnostics);
  const waiting = states.filter(({ missing }) => missing.length > 0);
  const exit = faults.length > 0 ? 'refused' : options['exitCode'] === true && waiting.length > 0 ? 'differs' : 'ok';
  const text = options['format'] === 'sql' ? waiting.map(({ file }) => textOf(files, file)).join('\n') : files.length === 0 ? NOTHING : stateLines(states);
  const databases = states.map(({ file, missing }) => ({ database: file.database, toMake: missing }));
  return { exit, data: { databases }, diagnostics: faults, text };
}

/** `apply --with-schema`: makes it, each database in one transaction. */
export async function applySchema(options: Options, context: VerbContext, log?: ApplyContext['log']): Promise<VerbResult> {
  const files = await readSchemaFiles(generatedDir(options, context));
  const making = { ...changeContext(options, context), ...(log ? { log } : {}) };
  const surroundings = { ...making, plan: planOf(files), env: context.env, lock: 'exclusive', waitMs: numberOption(options, 'waitLock') } as const;
  const done = await withDatabases(surroundings, async (sessions) => {
    const outcomes: { database: string; outcome: 'made' | 'was-made'; objects: readonly MadeObject[] }[] = [];
    for (const file of files) {
      const session = sessions.get(file.database);
      if (!session) continue;
      const outcome = await makeSchema({ session, file, context: making }).catch((error: unknown) => {
        throw afterOthers(error, outcomes);
      });
      outcomes.push({ database: file.database, outcome, objects: file.objects });
    }
    return outcomes;
  });
  const lines = done.map(
    ({ database, outcome, objects }) => `${database}: ${outcome === 'made' ? `made ${counted(objects)}` : 'nothing to make, all of it is there'}`,
  );
  return { exit: 'ok', data: { databases: done }, diagnostics: [], text: files.length === 0 ? NOTHING : `${lines.join('\n')}\n${NEXT}` };
}

/** Another database before this one has got its tables: the same command goes on from here. */
function afterOthers(error: unknown, outcomes: readonly { readonly outcome: string }[]): unknown {
  if (!(error instanceof SarrioError) || error.exit !== 'failed' || !outcomes.some(({ outcome }) => outcome === 'made')) return error;
  return new SarrioError({ exit: 'partial', diagnostics: error.diagnostics, cause: error });
}

function planOf(files: Files): { readonly project: string; readonly databases: Readonly<Record<string, { readonly url: { readonly env: string } }>> } {
  return { project: files[0]?.project ?? 'sarrio', databases: Object.fromEntries(files.map(({ database, env }) => [database, { url: { env } }])) };
}

function textOf(files: Files, { database }: SchemaFile): string {
  return files.find((file) => file.database === database)?.text ?? '';
}

function stateLines(states: readonly { readonly file: SchemaFile; readonly missing: readonly MadeObject[] }[]): string {
  const lines = states.flatMap(({ file, missing }) => {
    if (missing.length === 0) return [`${file.database}: nothing to make, all of it is there`];
    return [`${file.database}: ${counted(missing)} to make, in one transaction`, ...missing.map((object) => `  + ${object.kind} ${displayName(object)}`)];
  });
  const isDone = states.every(({ missing }) => missing.length === 0);
  return `${lines.join('\n')}\n${isDone ? NEXT : 'Next: review generated/schema, then sarrio apply --with-schema\n'}`;
}

/** `2 types, 1 sequence, 5 tables`. */
export function counted(objects: readonly MadeObject[]): string {
  const kinds = ['collation', 'type', 'sequence', 'table'] as const;
  const counts = kinds.map((kind) => [objects.filter((object) => object.kind === kind).length, kind] as const).filter(([count]) => count > 0);
  return counts.map(([count, kind]) => `${count} ${kind}${count === 1 ? '' : 's'}`).join(', ');
}
