import { failure, SarrioError } from '../../plan/errors.ts';
import type { Clock } from '../clock.ts';
import type { StreamName, StreamState } from '../events.ts';
import { sqlState } from '../postgres/connection-failure.ts';
import { failureText } from '../postgres/error-text.ts';
import type { Session } from '../postgres/session.ts';
import { type FollowEnd, followStream } from './follow-stream.ts';
import { waitForLease } from './lease.ts';
import { readPause } from './registration.ts';
import type { Source } from './source.ts';
import type { CopyAside, StreamOptions } from './stream-options.ts';
import type { Following } from './following.ts';

const FIRST_RETRY_MS = 200;
const LAST_RETRY_MS = 30_000;
/** How long a paused stream waits before it asks again. */
const ASK_AGAIN_MS = 1_000;
/** Failures in a row before a run that should end by itself gives up. */
const TRIES = 5;
/** How it ended; an error is the reason why a stream that should end by itself gave up. */
export type StreamEnd = { readonly kind: 'stopped' } | { readonly kind: 'done' } | { readonly kind: 'gave-up'; readonly error: unknown };
/** What a stream does once both ends are connected and the lease is held. */
type Follow = (following: Following) => Promise<FollowEnd>;

/**
 * Runs one stream until it is stopped or, when asked so, has caught up. Its failures are its own: it reconnects alone, with growing
 * pauses and jitter, while the other streams go on.
 */
export async function runStream(options: StreamOptions, follow: Follow = followStream): Promise<StreamEnd> {
  const { clock, signal, until } = options;
  const tries = { failed: 0 };
  const aside: CopyAside = { running: null, failed: 0 };
  while (!signal.aborted) {
    try {
      const outcome = await connectAndFollow({ ...options, follow }, aside, () => {
        tries.failed = 0;
        options.progress.isFailing = false;
      });
      if (outcome === 'done') return { kind: 'done' };
    } catch (error) {
      if (signal.aborted) break;
      tries.failed += 1;
      const failed = Math.max(tries.failed, aside.failed);
      const inMs = Math.min(FIRST_RETRY_MS * 2 ** (failed - 1), LAST_RETRY_MS) * (0.5 + clock.random() / 2);
      reportFailure(options, error, inMs);
      if (until !== 'stopped' && isFinal(error, failed)) return { kind: 'gave-up', error };
      await clock.sleep(inMs, signal);
    }
  }
  enter(options, 'stopped', null);
  return { kind: 'stopped' };
}

/** A run that should end by itself does not wait for a person; a lost connection it tries a few times. */
function isFinal(error: unknown, failed: number): boolean {
  return failed >= TRIES || (error instanceof SarrioError && error.exit !== 'failed');
}

async function connectAndFollow(options: StreamOptions & { readonly follow: Follow }, aside: CopyAside, onProgress: () => void): Promise<FollowEnd> {
  const { stream, project, clock, signal } = options;
  enter(options, 'connecting', null);
  const { source, wake } = await options.access();
  if (!(await waitWhilePaused(options, source))) return 'stopped';
  const target = await options.connectTarget();
  const abort = (): void => wake.kick();
  signal.addEventListener('abort', abort);
  try {
    const isHeld = await waitForLease({ project, stream, source, target, clock, signal }, (holder) => standBy(options, holder));
    if (!isHeld) return 'stopped';
    return await options.follow({ ...options, aside, source, wake, target, onProgress, enter: (state, reason) => enter(options, state, reason) });
  } finally {
    signal.removeEventListener('abort', abort);
    await closeQuietly(target, clock);
  }
}

/** A paused stream leaves its target alone. False when the signal ended the wait. */
async function waitWhilePaused(options: StreamOptions, source: Source): Promise<boolean> {
  const { stream, until, clock, signal } = options;
  for (let pause = await readPause(stream.sync, source); pause !== null; pause = await readPause(stream.sync, source)) {
    if (until !== 'stopped') throw paused(stream, pause);
    enter(options, 'paused', pause);
    options.progress.isFailing = false;
    await clock.sleep(ASK_AGAIN_MS, signal);
    if (signal.aborted) return false;
  }
  return true;
}

/** A run that should end by itself does not wait for `sarrio resume`. */
export function paused({ sync, source }: Pick<StreamName, 'sync' | 'source'>, pause: string): Error {
  return failure('refused', {
    code: 'SAR612',
    where: `database ${source}`,
    message: `sync ${sync} is paused ${pause}`,
    hint: `Run: sarrio resume --sync ${sync}`,
  });
}

function standBy(options: StreamOptions, holder: string): void {
  const { stream, until } = options;
  enter(options, 'standby', `${holder} applies this stream`);
  if (until === 'stopped') return;
  throw failure('busy', { code: 'SAR607', where: `database ${stream.target}`, message: `${holder} applies sync ${stream.sync} from ${stream.source}` });
}

/** A target in the middle of a statement (a failed round) must not keep us from trying again. */
async function closeQuietly(target: Session, clock: Clock): Promise<void> {
  const closing = target.close();
  await Promise.race([closing, clock.sleep(500)]);
  target.destroy();
}

function enter({ stream, progress, log }: StreamOptions, state: StreamState, reason: string | null): void {
  if (progress.state === state) return;
  progress.state = state;
  if (state === 'running' && !progress.failedAtWork) progress.isFailing = false;
  log({ kind: 'stream', stream, state, reason });
}

function reportFailure(options: StreamOptions, error: unknown, inMs: number): void {
  const { stream, progress, log } = options;
  const code = error instanceof SarrioError ? (error.diagnostics[0]?.code ?? 'SAR600') : 'SAR600';
  const text = failureText(error);
  progress.lastError = text;
  progress.isCaughtUp = false;
  progress.failedAtWork = isRefusedByServer(error);
  progress.isFailing = true;
  progress.state = 'failed';
  log({ kind: 'retry', stream, code, error: text, inMs: Math.round(inMs) });
}

/** The statement failed, not the connection: it will probably fail again. */
function isRefusedByServer(error: unknown): boolean {
  const state = sqlState(error);
  return state !== null && !/^(08|57P)/.test(state);
}
