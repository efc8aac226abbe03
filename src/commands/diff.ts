import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import type { Diagnostic } from '../plan/diagnostic.ts';
import { failure, SarrioError } from '../plan/errors.ts';
import { type Generated, LOCK_FILE, loadGenerated, readIfPresent } from '../plan/generated-files.ts';
import { readLock } from '../plan/read-lock.ts';
import type { SchemaLock } from '../plan/schema-lock.ts';
import { readSchema } from '../runner/5-inspect/read-schema.ts';
import { plannedTables } from '../plan/planned-tables.ts';
import { DIFFERENCE_CLASSES, type Difference, type DifferenceClass, differences } from '../runner/6-diff/differences.ts';
import { systemClock } from '../runner/clock.ts';
import type { Session } from '../runner/postgres/session.ts';
import { addWaitLock, generatedDir, loadNamed, numberOption } from './change-options.ts';
import { lockChanges } from './lock-changes.ts';
import { applyPrinter } from './print-apply.ts';
import { readState } from './read-changes.ts';
import { addShadow } from './shadow/add-shadow.ts';
import { shadowResult } from './shadow/shadow-result.ts';
import type { Verb, VerbContext, VerbResult } from './verb.ts';
import { withDatabases } from './with-databases.ts';

type Options = Readonly<Record<string, unknown>>;
type Sessions = ReadonlyMap<string, Session>;

/** Findings that make every other answer worthless. */
const STRANGE: ReadonlySet<string> = new Set(['SAR416', 'SAR434']);

/** `sarrio diff`: in what the databases are not as generated/ says, and who changed it. Exits with 2 when there is something. */
export const verb: Verb = {
  configure: (command) => void addOptions(command),
  run: async (options, context) => {
    const dir = generatedDir(options, context);
    const ignored = await ignoredLines(options, context);
    const lock = await lockOf(dir);
    if (options['shadow'] !== undefined) return await shadowResult(options['shadow'], { generated: await loadGenerated(dir), lock, context });
    const generated = await loadNamed(options, context);
    const surroundings = {
      plan: generated.plan,
      env: context.env,
      lock: 'shared',
      waitMs: numberOption(options, 'waitLock'),
      clock: systemClock,
      log: applyPrinter(context.output),
      signal: context.signal,
    } as const;
    const found = await withDatabases(surroundings, (sessions) => compare(generated, sessions, lock));
    const only = options['only'] as readonly DifferenceClass[];
    const shown = found.filter((each) => only.includes(each.class) && !ignored.some((pattern) => pattern.test(lineOf(each))));
    return resultOf(shown);
  },
};

function addOptions(command: Command): Command {
  return addShadow(
    addWaitLock(command)
      .option('--only <classes>', `only these, with commas between: ${DIFFERENCE_CLASSES.join(', ')}`, parseClasses, DIFFERENCE_CLASSES)
      .option('--ignore <file>', 'leave out what a line of this file names: `<class> <database> <kind> <name>`, with * for anything'),
    'instead, try generated/ on new databases of a server: it installs, plans empty again, and goes again',
  );
}

async function compare({ plan, files }: Generated, sessions: Sessions, lock: SchemaLock | null): Promise<readonly Difference[]> {
  const state = await readState({ plan, files }, sessions);
  const strange = state.faults.filter(({ code }) => STRANGE.has(code));
  if (strange.length > 0) throw new SarrioError({ exit: 'refused', diagnostics: strange });
  return [...differences({ plan, ...state }), ...(lock === null ? [] : await lockSkew({ plan, lock, sessions, faults: state.faults }))];
}

/** What of the plan's tables is not as the lock has it, beyond what the plan's own checks have named. */
async function lockSkew(options: {
  plan: Generated['plan'];
  lock: SchemaLock;
  sessions: Sessions;
  faults: readonly Diagnostic[];
}): Promise<readonly Difference[]> {
  const { plan, lock, sessions, faults } = options;
  const found: Difference[] = [];
  for (const [database, session] of sessions) {
    const locked = lock.databases[database];
    if (!locked) continue;
    const tables = plannedTables(plan, database).map(({ display }) => display);
    const { schema } = await readSchema(session, [...new Set(locked.tables.map((table) => table.schema))]);
    const isPlanned = (name: string): boolean => tables.some((table) => name === table || name.startsWith(`${table}.`));
    const isNamed = (name: string): boolean => faults.some(({ where }) => where === `database ${database}, table ${name}`);
    const { added, changed, gone } = lockChanges(locked, schema);
    const record = (what: string) => (name: string) => ({
      class: 'skew' as const,
      database,
      object: { kind: tables.includes(name) ? 'table' : 'column', name },
      what: `${what} since the last \`sarrio pull\``,
      wanted: null,
      found: null,
    });
    found.push(
      ...added.filter(isPlanned).map(record('is new')),
      ...changed.filter(isPlanned).map(record('was changed')),
      ...gone.filter((name) => isPlanned(name) && !isNamed(name)).map(record('is gone')),
    );
  }
  return found;
}

async function lockOf(dir: string): Promise<SchemaLock | null> {
  const text = await readIfPresent(join(dir, LOCK_FILE));
  return text === null ? null : readLock(text, `${basename(dir)}/${LOCK_FILE}`);
}

function resultOf(shown: readonly Difference[]): VerbResult {
  const counts = Object.fromEntries(DIFFERENCE_CLASSES.map((each) => [each, shown.filter((difference) => difference.class === each).length]));
  const nothing = 'No differences: the databases are as generated/ says.\n';
  const text = shown.length === 0 ? nothing : `${shown.map((each) => `${lineOf(each)}: ${each.what}`).join('\n')}\n${hint(counts)}\n`;
  return { exit: shown.length === 0 ? 'ok' : 'differs', data: { counts, differences: shown }, diagnostics: [], text };
}

/** `drift shop trigger sarrio_insert on public.orders`: what `--ignore` names. */
function lineOf({ class: kind, database, object }: Difference): string {
  return `${kind} ${database} ${object.kind} ${object.name}`;
}

function hint(counts: Readonly<Record<string, number>>): string {
  const found = DIFFERENCE_CLASSES.filter((each) => counts[each]).map((each) => `${counts[each] ?? 0} ${each}`);
  const next = counts['skew'] ? '`sarrio pull` and `sarrio compile` follow your tables; then ' : '';
  const isMended = (counts['pending'] ?? 0) + (counts['drift'] ?? 0) > 0 || next !== '';
  return `${found.join(', ')}.${isMended ? ` ${next}\`sarrio plan\` shows what would be done.` : ''}`;
}

function parseClasses(value: string): readonly DifferenceClass[] {
  const words = value.split(',').map((word) => word.trim());
  const classes = DIFFERENCE_CLASSES.filter((each) => words.includes(each));
  if (classes.length !== new Set(words).size) throw new InvalidArgumentError(`Choose among ${DIFFERENCE_CLASSES.join(', ')}.`);
  return classes;
}

async function ignoredLines(options: Options, { cwd }: VerbContext): Promise<readonly RegExp[]> {
  const { ignore } = options;
  if (typeof ignore !== 'string') return [];
  try {
    const lines = (await readFile(resolve(cwd, ignore), 'utf8')).split(/\r?\n/);
    return lines.filter((line) => line.trim() !== '' && !line.startsWith('#')).map(toPattern);
  } catch (error) {
    const message = `cannot read it: ${error instanceof Error ? error.message : String(error)}`;
    throw failure('invalid', {
      code: 'SAR517',
      where: ignore,
      message,
      hint: 'Name a file with one difference a line, as `sarrio diff` prints them.',
      cause: error,
    });
  }
}

function toPattern(line: string): RegExp {
  const parts = line.trim().split('*');
  return new RegExp(`^${parts.map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')).join('.*')}$`, 's');
}
