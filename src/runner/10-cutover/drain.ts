import { failure, SarrioError } from '../../plan/errors.ts';
import { run } from '../8-round/run.ts';
import { failureText } from '../postgres/error-text.ts';
import type { CuttingOver } from './cutover-options.ts';
import { onlyStream, streamStatus } from './one-stream.ts';
import type { StreamStatus } from '../8-round/stream-status.ts';

const LOOK_AGAIN_MS = 200;
/** So long a runner that said a moment ago that it was at work is given to prove it. */
const PATIENCE_MS = 1_500;

/**
 * Until the target has everything that the closed source holds. A running `sarrio run` does it; where none is at work, this process does
 * the rounds itself.
 */
export async function drain(cutting: CuttingOver): Promise<void> {
  const { clock, signal, waitMs, log } = cutting;
  const [deadline, impatient] = [clock.now() + waitMs, clock.now() + PATIENCE_MS];
  const said = { pending: false, error: null as string | null };
  for (let status = await streamStatus(cutting); !isDrained(status); status = await streamStatus(cutting)) {
    if (signal.aborted) throw new Error('interrupted');
    if (clock.now() >= deadline) throw stillPending(cutting, status, said.error);
    if (!said.pending) log({ kind: 'waiting', text: `${status.pending ?? 'some'} changes are on their way to ${cutting.target}` });
    said.pending = true;
    if (status.state !== 'running' || clock.now() >= impatient) said.error = await carryOn(cutting, deadline - clock.now());
    await clock.sleep(LOOK_AGAIN_MS, signal);
  }
}

/** Nothing is pending, and no table waits for its copy. */
function isDrained({ pending, state }: StreamStatus): boolean {
  return pending === 0 && state !== 'copying';
}

/** The rounds of this one stream, for so long at most; null unless they failed. Somebody else at work is no failure. */
async function carryOn(cutting: CuttingOver, forMs: number): Promise<string | null> {
  const { files, connect, clock, failpoint, signal } = cutting;
  const [over, ended] = [new AbortController(), new AbortController()];
  const stop = (): void => over.abort();
  signal.addEventListener('abort', stop);
  void clock.sleep(forMs, ended.signal).then(stop);
  try {
    const ends = await run({ plan: onlyStream(cutting), files, connect, until: 'caught-up', clock, log: () => undefined, failpoint, signal: over.signal }, []);
    const errors = ends.flatMap((end) => (end.kind === 'gave-up' ? [end.error] : []));
    const first = errors.find((error) => !(error instanceof SarrioError && error.exit === 'busy'));
    return first === undefined ? null : failureText(first);
  } finally {
    ended.abort();
    signal.removeEventListener('abort', stop);
  }
}

function stillPending({ sync, planned, target, waitMs }: CuttingOver, { pending, lastError }: StreamStatus, own: string | null): Error {
  const error = own ?? lastError;
  return failure('failed', {
    code: 'SAR806',
    where: `sync ${sync}, ${planned.source} -> ${target}`,
    message: `${pending ?? 'an unknown number of'} changes have not arrived within ${Math.round(waitMs / 1000)} s${error === null ? '' : `: ${error}`}`,
    hint: 'See that sarrio run works and catches up, then try again; --wait waits longer.',
  });
}
