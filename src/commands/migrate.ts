import { contentHash } from '../plan/canonical.ts';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { LoadedConfig } from '../compiler/1-load/load-config.ts';
import { schemasOf } from '../compiler/2-model/config-schemas.ts';
import { compileConfig } from '../compiler/compile.ts';
import { bindEnvironment } from '../plan/environment.ts';
import { failure } from '../plan/errors.ts';
import { type Generated, LOCK_FILE, readIfPresent, writeGenerated } from '../plan/generated-files.ts';
import { LOCK_FORMAT } from '../plan/schema-lock.ts';
import { writeLock } from '../plan/write-lock.ts';
import { type Migrated, migrate, undo } from '../runner/11-migrate/migrate.ts';
import type { Compiling, Migrating } from '../runner/11-migrate/migrating.ts';
import type { Session } from '../runner/postgres/session.ts';
import { addAllow, addChangeOptions, applyContext, environmentOf, generatedDir, listOption, loadNamed, numberOption, refuseErrors } from './change-options.ts';
import { addConfigOptions, readConfig } from './config-options.ts';
import { approvalsOf, hazardFaults, judgeHazards } from './change-plan/approvals.ts';
import { today } from '../runner/clock.ts';
import { parseDuration } from './duration.ts';
import type { Verb, VerbContext, VerbResult } from './verb.ts';
import { withDatabases } from './with-databases.ts';

type Options = Readonly<Record<string, unknown>>;

/** `sarrio migrate`: a change of the users' tables in all databases, while replication goes on. */
export const verb: Verb = {
  configure: (command) => {
    addConfigOptions(addAllow(addChangeOptions(command)))
      .argument('<file>', 'SQL that every database runs, once and in one transaction')
      .option('--database <name...>', 'only in these databases (default: all of the plan)')
      .option('--expand', 'targets first: for what is added')
      .option('--contract', 'sources first: for what is taken away')
      .option('--drain <duration>', 'how long writers of a table may wait while its last changes reach the targets, in each try', parseDuration, 2_000)
      .option('--undo [file]', 'take a migration back that did not come to its end; the file is run where it has run already');
  },
  run: async (options, context) => {
    const loaded = await readConfig(options, context);
    const generated = await loadNamed(options, context);
    const file = String(options['file']);
    const text = await textOf(context, file);
    const downFile = typeof options['undo'] === 'string' ? options['undo'] : null;
    const down = downFile === null ? null : { file: downFile, text: await textOf(context, downFile) };
    const applying = applyContext(generated.plan, options, context);
    const surroundings = { ...applying, env: context.env, lock: 'exclusive', waitMs: numberOption(options, 'waitLock') } as const;
    const migrated = await withDatabases(surroundings, (sessions) => {
      const migrating = { ...partsOf({ loaded, generated, sessions }, options, context), id: contentHash({ file: text }), file, text, context: applying };
      return options['undo'] === undefined ? migrate(migrating) : undo(migrating, down);
    });
    return result(file, migrated);
  },
};

type Parts = { readonly loaded: LoadedConfig; readonly generated: Generated; readonly sessions: ReadonlyMap<string, Session> };

function partsOf({ loaded, generated, sessions }: Parts, options: Options, context: VerbContext): Omit<Migrating, 'id' | 'file' | 'text' | 'context'> {
  const databases = databasesOf(generated, options['database']);
  return {
    generated,
    sessions,
    databases,
    schemas: new Map([...schemasOf(loaded.config)].filter(([database]) => sessions.has(database))),
    declared: directionOf(options),
    by: context.env['USER'] ?? 'somebody',
    drainMs: numberOption(options, 'drain'),
    approve: approving(listOption(options['allow'])),
    compile: compiling(loaded, generatedDir(options, context), environmentOf(options)),
    say: (text) => context.output.err(`${text}\n`),
  };
}

/** As for apply; what the config approves stands in the plan that it makes. */
function approving(allowed: readonly string[]): Migrating['approve'] {
  return (steps, { plan }) => {
    const approvals = approvalsOf(plan, { allowed, today: today() });
    refuseErrors(hazardFaults(judgeHazards(steps, approvals), approvals.today));
  };
}

function compiling(loaded: LoadedConfig, dir: string, environment: string | null): Compiling {
  return (schemas) => {
    const lock = { format: LOCK_FORMAT, databases: Object.fromEntries(schemas) };
    const { plan, files } = compileConfig(loaded, lock);
    const write = async (): Promise<void> => {
      await mkdir(dir, { recursive: true });
      await writeFile(join(dir, LOCK_FILE), writeLock(lock));
      await writeGenerated(dir, files);
    };
    return { generated: { plan: bindEnvironment(plan, environment), files }, write };
  };
}

function databasesOf({ plan }: Generated, wanted: unknown): readonly string[] {
  const all = Object.keys(plan.databases);
  if (!Array.isArray(wanted)) return all;
  const unknown = wanted.map(String).filter((name) => !all.includes(name));
  if (unknown.length === 0) return wanted.map(String);
  throw failure('invalid', { code: 'SAR828', message: `the plan has no database ${unknown.join(', ')}`, hint: `It has: ${all.join(', ')}` });
}

function directionOf({ expand, contract }: Options): Migrating['declared'] {
  if (expand === true && contract === true) {
    throw failure('invalid', { code: 'SAR828', message: '--expand and --contract say the opposite of each other', hint: 'Leave one of them out.' });
  }
  return expand === true ? 'expand' : contract === true ? 'contract' : null;
}

async function textOf({ cwd }: VerbContext, file: string): Promise<string> {
  const text = await readIfPresent(resolve(cwd, file));
  if (text !== null) return text;
  throw failure('invalid', { code: 'SAR828', where: file, message: 'there is no such file', hint: 'Name a file with the SQL of the migration.' });
}

function result(file: string, migrated: Migrated): VerbResult {
  return { exit: 'ok', data: { file, ...migrated }, diagnostics: [], text: [...TEXTS[migrated.outcome](file, migrated), ...doubtLines(migrated)].join('\n') };
}

const TEXTS: Readonly<Record<Migrated['outcome'], (file: string, migrated: Migrated) => readonly string[]>> = {
  migrated: (file, { done }) => [
    `${file} is through${done.length > 0 ? `: ${done.join(', then ')}` : ''}. Review and commit generated/; a runner that reads it goes on with the new plan by itself.`,
  ],
  'was-done': (file) => [`Nothing to do: ${file} is through in every database.`],
  undone: (file, { done }) => [`${file} is taken back${done.length > 0 ? `: ${done.join(', then ')}` : '; it had run nowhere'}.`],
  'was-not-begun': (file) => [`Nothing to take back: ${file} was not begun.`],
};

function doubtLines({ doubts }: Migrated): readonly string[] {
  if (doubts.length === 0) return [];
  return ['Values that each database computed for itself may differ; compare them (and --repair) with sarrio verify:', ...doubts.map((doubt) => `  ${doubt}`)];
}
