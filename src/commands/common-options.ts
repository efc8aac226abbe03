import type { Command } from 'commander';
import type { Diagnostic } from '../plan/diagnostic.ts';
import { SarrioError } from '../plan/errors.ts';
import { systemClock } from '../runner/clock.ts';
import { CONNECTED, type Connected } from '../runner/postgres/connected.ts';
import { parseDuration } from './duration.ts';
import type { VerbEntry } from './verbs.ts';
import type { VerbResult } from './verb.ts';

/** Why the signal of a verb was aborted whose time was over. */
export const OVERDUE = 'overdue';

/** What a verb may still do when its time is over: end its step, or roll it back, and let go of its locks. */
const GRACE_MS = 5_000;
const LAST_WRITES_MS = 500;

/** Options that all verbs have; a verb that means something of its own by one of the names declares it itself, later. */
export function addCommonOptions(command: Command, { connects }: VerbEntry): void {
  command.option('--json', 'print one JSON object instead of text').option('--generated <dir>', 'the folder of generated files', 'generated');
  if (connects) command.option('--env <name>', 'the environment of the config (`environments`) whose databases and numbers count');
}

/** The rest of them, after the verb's own. */
export function addOutputOptions(command: Command): void {
  const has = (long: string): boolean => command.options.some((option) => option.long === long);
  command.option('--timeout <duration>', 'fail when it has not ended by itself by then (90s, 10min, 2h)', parseDuration);
  if (!has('--quiet')) command.option('--quiet', 'no progress on standard error: only the result, warnings and errors');
  if (!has('--verbose')) command.option('--verbose', 'on standard error, too: each connection with the variable it comes from, and the time taken');
  command.option('--no-color', 'for scripts that say it everywhere: nothing here is coloured');
}

/**
 * A verb's work within a time. When that is over it is told to stop, as by a signal: what it then says is kept, with the reason in front. One
 * that does not stop is left behind; whoever calls this ends the process, and the servers roll back what was open.
 */
export async function within(limitMs: number, stop: AbortController, work: () => Promise<VerbResult>): Promise<VerbResult> {
  const done = new AbortController();
  const working = work().finally(() => done.abort());
  working.catch(() => undefined);
  const overdue = async (): Promise<VerbResult> => {
    await systemClock.sleep(limitMs, done.signal);
    if (done.signal.aborted) return working;
    stop.abort(OVERDUE);
    const last = await Promise.race([working.catch(faultOf), systemClock.sleep(GRACE_MS, done.signal).then(() => null)]);
    const said = last ?? (done.signal.aborted ? await working.catch(faultOf) : null);
    const exit = said?.exit === 'partial' ? 'partial' : 'failed';
    return { exit, data: said?.data ?? null, diagnostics: [tooLate(limitMs), ...(said?.diagnostics ?? [])], text: said?.text ?? '' };
  };
  return overdue();
}

function faultOf(error: unknown): VerbResult {
  if (error instanceof SarrioError) return { exit: error.exit, data: null, diagnostics: error.diagnostics, text: '' };
  return { exit: 'failed', data: null, diagnostics: [], text: '' };
}

function tooLate(limitMs: number): Diagnostic {
  const message = `it has not ended within ${limitMs / 1000} s (--timeout)`;
  const hint = 'What was under way was ended or rolled back. Look what it waits for (sarrio doctor), or give it more time.';
  return { code: 'SAR004', severity: 'error', message, hint, span: null, where: null };
}

/** Time for what was said to be written, before a process is ended that would not end by itself. */
export function lastWrites(): Promise<void> {
  return systemClock.sleep(LAST_WRITES_MS);
}

/** Tells of every connection that is opened from now on, until the end. */
export function tellConnections(write: (text: string) => void): void {
  CONNECTED.subscribe((message) => {
    const { database, variable, role, user, serverMajor, backendPid, ms } = message as Connected;
    write(`connected: database ${database} by ${variable}, to ${role}, as ${user}, PostgreSQL ${serverMajor}, backend ${backendPid}, ${Math.round(ms)} ms\n`);
  });
}
