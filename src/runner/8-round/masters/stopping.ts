import { SarrioError } from '../../../plan/errors.ts';
import { displayName } from '../../../sql/quote.ts';
import { textArray } from '../../postgres/text-array.ts';
import { writeAlone } from '../write-alone.ts';
import { noteGoing, noteStopped } from '../changed-tables/changed-tables.sql.ts';
import { isContention, isFaultOfRows, MemberError, serverFields, tableErrorOf } from './member-error.ts';
import { type Stop, TableStopped } from './stop.ts';
import type { MastersRun, Present } from './masters-run.ts';

/** Why a table has to sit the next rounds out, or null where the failed round was not one table's fault. Contention has been tried again before. */
export function stopOf({ sync }: MastersRun, error: unknown): Stop | null {
  if (error instanceof TableStopped) return error.stop;
  const found = tableErrorOf(error);
  if (found === null || !(isFaultOfRows(error) || isContention(error))) return null;
  const database = error instanceof MemberError ? (sync.members[error.member] ?? '') : '';
  const { detail, code } = serverFields(found.cause);
  return {
    table: found.table,
    code: 'SAR623',
    message: `database ${database} does not take the rows (${code ?? ''}): ${found.message}${detail === null ? '' : `: ${detail}`}`,
    hint: 'Change the row at one of the databases, or what the table demands of it; then run: sarrio kick. Until then only this table waits; nothing of it is lost.',
    key: found.row?.key ?? null,
  };
}

/** The table was stopped for rows of this kind before: what may be a coincidence the first time costs nobody locks again. */
export function isKnownFault({ stopped }: MastersRun, error: unknown): boolean {
  const found = tableErrorOf(error);
  return found !== null && isFaultOfRows(error) && stopped.has(found.table);
}

/** The table is out of the rounds from now on. It is said once for each reason. */
export async function stopTable(run: MastersRun, present: readonly Present[], { stop, tookMs }: { stop: Stop; tookMs: number }): Promise<void> {
  const isNew = run.stopped.stop(stop, tookMs);
  if (isNew) await sayStop(run, present, stop);
}

export async function sayStop(run: MastersRun, present: readonly Present[], stop: Stop): Promise<void> {
  const { code, message, hint } = stop;
  await eachOf(present, (each) => writeAlone(each.live.session, noteOf(run, stop)));
  run.options.log({ kind: 'table-stopped', sync: run.name, table: relationOf(run, stop.table), code, reason: message, hint });
}

function noteOf(run: MastersRun, { table, code, message, hint, key }: Stop): { readonly text: string; readonly values: readonly (string | null)[] } {
  return { text: noteStopped, values: [run.name, relationOf(run, table), code, message, hint, key === null ? null : JSON.stringify(key)] };
}

/** A round went through, with these tables left out: the others go on. */
export async function tablesGo(run: MastersRun, present: readonly Present[], waiting: ReadonlySet<number>): Promise<void> {
  const { name, options, stopped } = run;
  const tables = stopped.wentThrough(waiting).map((table) => relationOf(run, table));
  if (tables.length === 0) return;
  await eachOf(present, (each) => writeAlone(each.live.session, { text: noteGoing, values: [name, textArray(tables)] }));
  for (const table of tables) options.log({ kind: 'table-resumed', sync: name, table });
}

/** Nothing that a runner of the past said of a member's tables holds any more; only what this one knows of them. */
export async function forgetStopped(run: MastersRun, { live }: Pick<Present, 'live'>): Promise<void> {
  await writeAlone(live.session, { text: noteGoing, values: [run.name, null] });
  for (const stop of run.stopped.all()) await writeAlone(live.session, noteOf(run, stop));
}

/** For a run that ends by itself: what is left undone. */
export function stoppedError(run: MastersRun): SarrioError | null {
  const diagnostics = run.stopped
    .all()
    .map(
      ({ table, code, message, hint }) =>
        ({ code, severity: 'error', where: `sync ${run.name}, table ${relationOf(run, table)}`, message, hint, span: null }) as const,
    );
  return diagnostics.length === 0 ? null : new SarrioError({ exit: 'refused', diagnostics });
}

function relationOf({ sync }: MastersRun, ordinal: number): string {
  const table = sync.tables[ordinal];
  return table === undefined ? String(ordinal) : displayName(table.target);
}

async function eachOf(present: readonly Present[], task: (each: Present) => Promise<unknown>): Promise<void> {
  for (const each of present) {
    await task(each).catch((error: unknown) => {
      throw new MemberError(each.slot.index, each.slot.name, error);
    });
  }
}
