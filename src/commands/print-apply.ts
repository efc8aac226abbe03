import type { Diagnostic } from '../plan/diagnostic.ts';
import { type ExitName, SarrioError } from '../plan/errors.ts';
import type { Output } from '../plan/output.ts';
import type { ApplyEvent, ApplyLog } from '../runner/7-apply/apply-event.ts';
import type { Clock } from '../runner/clock.ts';
import type { VerbResult } from './verb.ts';

/** Progress of apply and destroy, one line for each event, on standard error. */
export function applyPrinter(output: Output): ApplyLog {
  return (event) => output.err(`${applyLine(event)}\n`);
}

const HEARTBEAT_MS = 10_000;

/**
 * Progress as JSON lines on standard output: every event, a heartbeat while nothing happens, and in the end, on failure too, one line
 * `finished` with the exit and what the envelope would hold.
 */
export async function reportLines(options: { output: Output; clock: Clock }, work: (log: ApplyLog) => Promise<VerbResult>): Promise<VerbResult> {
  const { output, clock } = options;
  const start = clock.now();
  const ended = new AbortController();
  const seen = { at: start };
  const line = (event: Readonly<Record<string, unknown>>): void => {
    seen.at = clock.now();
    output.out(`${JSON.stringify({ ...event, ms: Math.round(seen.at - start) })}\n`);
  };
  const finish = ({ exit, data, diagnostics }: { exit: ExitName; data: unknown; diagnostics: readonly Diagnostic[] }): void =>
    line({ event: 'finished', exit, data, diagnostics });
  const beating = heartbeat();
  try {
    const result = await work(({ kind, ...rest }) => line({ event: kind, ...rest }));
    finish(result);
    return { ...result, text: '' };
  } catch (error) {
    if (error instanceof SarrioError) finish({ exit: error.exit, data: null, diagnostics: error.diagnostics });
    throw error;
  } finally {
    ended.abort();
    await beating;
  }

  async function heartbeat(): Promise<void> {
    while (!ended.signal.aborted) {
      await clock.sleep(Math.max(1, seen.at + HEARTBEAT_MS - clock.now()), ended.signal);
      if (!ended.signal.aborted && clock.now() - seen.at >= HEARTBEAT_MS) line({ event: 'heartbeat' });
    }
  }
}

function applyLine(event: ApplyEvent): string {
  switch (event.kind) {
    case 'waiting-for-lock':
      return `${event.database}: waiting for another apply: ${event.holder}`;
    case 'group-started':
      return `[${event.number}/${event.of}] ${event.database}: ${event.group} (${event.steps.length} step${event.steps.length === 1 ? '' : 's'})`;
    case 'blocked':
      return `  busy, try ${event.attempt} of ${event.of + 1}: ${event.holders.length > 0 ? event.holders.join(', ') : 'whoever held it has let go'}`;
    case 'group-applied':
      return `  done`;
    default:
      return event satisfies never;
  }
}
