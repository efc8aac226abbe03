import { failure } from '../plan/errors.ts';
import type { Plan } from '../plan/plan.ts';
import { refuseMissingRights } from '../runner/5-inspect/own-rights.ts';
import { conflictById, type DecidedConflict, type DecidedVersion, readConflicts, versionsOfKey } from '../runner/8-round/conflicts/read-conflicts.ts';
import { maskedRows, readParked } from '../runner/8-round/conflicts/parked.ts';
import { undoConflict } from '../runner/8-round/conflicts/undo-conflict.ts';
import { loadNamed } from './change-options.ts';
import { allMembers, atMembers } from './at-members.ts';
import { conflictText, conflictsText, parkedText } from './print-conflicts.ts';
import type { Verb, VerbContext, VerbResult } from './verb.ts';

type Options = Readonly<Record<string, unknown>>;

/** `sarrio conflicts`: what was decided between masters, and undoing it. */
export const verb: Verb = {
  configure: (command) =>
    void command
      .argument('[action]', 'list, show, undo or parked', 'list')
      .argument('[id]', 'the conflict, or the beginning of its id')
      .option('--sync <name>', 'only of this sync')
      .option('--table <schema.table>', 'only of this table')
      .option('--since <age>', "only the last, e.g. '2 hours' or '7 days'")
      .option('--limit <number>', 'at most so many, the newest', '50')
      .option('--exit-code', 'list, parked: exit 2 when there is one')
      .option('--take <database>', 'undo: whose version is to stand (with two versions: the one that lost)')
      .option('--anyway', 'undo: although the row was changed since'),
  run: async (options, context) => {
    const { plan } = await loadNamed(options, context);
    const action = String(options['action']);
    if (action === 'list') return list(plan, options, context);
    if (action === 'show') return show(plan, options, context);
    if (action === 'parked') return parked(plan, options, context);
    if (action === 'undo') return undo(plan, options, context);
    throw failure('invalid', { code: 'SAR001', message: `conflicts has no action ${action}`, hint: 'It has: list, show, undo, parked' });
  },
};

async function list(plan: Plan, options: Options, context: VerbContext): Promise<VerbResult> {
  const filter = { sync: text(options['sync']), relation: text(options['table']), since: text(options['since']), limit: Number(options['limit']) };
  if (!Number.isSafeInteger(filter.limit) || filter.limit < 1) throw failure('invalid', { code: 'SAR001', message: '--limit takes a whole number' });
  const conflicts = await atMembers(plan, { context, role: 'status', members: allMembers(plan) }, (sessions) => readConflicts(sessions, filter));
  return { exit: exitOf(options, conflicts), data: { conflicts }, diagnostics: [], text: conflictsText(conflicts) };
}

/** Rows that lost their place to another one with the same unique value. */
async function parked(plan: Plan, options: Options, context: VerbContext): Promise<VerbResult> {
  const filter = { sync: text(options['sync']), relation: text(options['table']) };
  const rows = await atMembers(plan, { context, role: 'status', members: allMembers(plan) }, (sessions) => readParked(sessions, filter));
  const shown = maskedRows(plan, rows);
  return { exit: exitOf(options, shown), data: { parked: shown }, diagnostics: [], text: parkedText(shown) };
}

function exitOf(options: Options, found: readonly unknown[]): VerbResult['exit'] {
  return options['exitCode'] === true && found.length > 0 ? 'differs' : 'ok';
}

async function show(plan: Plan, options: Options, context: VerbContext): Promise<VerbResult> {
  const conflict = await atMembers(plan, { context, role: 'status', members: allMembers(plan) }, (sessions) => conflictById(sessions, idOf(options)));
  return { exit: 'ok', data: { conflict }, diagnostics: [], text: conflictText(conflict) };
}

async function undo(plan: Plan, options: Options, context: VerbContext): Promise<VerbResult> {
  return atMembers(plan, { context, role: 'target', members: allMembers(plan) }, async (sessions) => {
    const conflict = await conflictById(sessions, idOf(options));
    const version = versionToTake(conflict, text(options['take']));
    const sync = plan.syncs[conflict.sync];
    const members = sync?.mode === 'multi-master' ? sync.members : [];
    const session = sessions.find(({ database }) => members.includes(database));
    if (session === undefined) throw failure('refused', { code: 'SAR631', message: `the plan has no multi-master sync ${conflict.sync} any more` });
    await refuseMissingRights(plan, session, 'runner');
    await undoConflict(session, { plan, conflict, version, anyway: options['anyway'] === true });
    const what = `The version of ${version.database} was written at ${session.database}; the runner brings it to the others.`;
    return { exit: 'ok', data: { id: conflict.id, taken: version.database, at: session.database }, diagnostics: [], text: what };
  });
}

function versionToTake(conflict: DecidedConflict, wanted: string | null): DecidedVersion {
  const { id, decision } = conflict;
  const versions = versionsOfKey(conflict);
  const names = versions.map(({ database }) => database);
  const losers = versions.filter(({ database }) => decision !== `take ${database}`);
  const [only] = losers;
  if (wanted === null && losers.length === 1 && only !== undefined) return only;
  const found = versions.find(({ database }) => database === wanted);
  if (found !== undefined) return found;
  const message = wanted === null ? `conflict ${id} has several versions to choose from` : `conflict ${id} has no version of ${wanted}`;
  throw failure('invalid', { code: 'SAR633', message, hint: `Name one with --take: ${names.join(', ')}` });
}

function idOf(options: Options): string {
  const id = text(options['id']);
  if (id !== null && /^[0-9a-f-]+$/i.test(id)) return id.toLowerCase();
  throw failure('invalid', { code: 'SAR630', message: 'which conflict?', hint: 'Give its id, or the beginning of it, as sarrio conflicts list shows it.' });
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
