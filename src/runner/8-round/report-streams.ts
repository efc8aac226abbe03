import { hostname } from 'node:os';
import type { StreamName } from '../events.ts';
import { writeStream } from './source.sql.ts';
import type { RunOptions, SyncRun } from './sync-runner.ts';
import type { StreamProgress } from './stream-options.ts';
import { stateOf } from './stream-state.ts';

const EVERY_MS = 1_000;
/** Even when nothing changes, so that `status` can tell a living runner from a dead one. */
const AT_LEAST_EVERY_MS = 10_000;

type Reported = { readonly stream: StreamName; readonly progress: StreamProgress; rows: number; at: number; text: string };

/** Writes each stream's state into its source, for `sarrio status`, until the signal. A source that is down is told when it is back. */
export async function reportStreams(options: RunOptions, syncs: readonly SyncRun[], signal: AbortSignal): Promise<void> {
  const { clock } = options;
  const reports = syncs.map((sync) => ({
    sync,
    streams: sync.streams.map((each): Reported => ({ ...each, rows: each.progress.rows, at: clock.now(), text: '' })),
  }));
  while (!signal.aborted) {
    await clock.sleep(EVERY_MS, signal);
    await Promise.all(reports.map(({ sync, streams }) => reportSync(options, sync, streams)));
  }
}

async function reportSync(options: RunOptions, sync: SyncRun, streams: readonly Reported[]): Promise<void> {
  const { clock } = options;
  for (const each of streams) {
    const { progress, stream } = each;
    // The runner that has the lease speaks for the stream.
    if (progress.state === 'standby') continue;
    const state = stateOf(progress);
    const now = clock.now();
    const seconds = (now - each.at) / 1000;
    const rate = (progress.rows - each.rows) / Math.max(seconds, 0.001);
    const text = `${state} ${progress.rows} ${rate > 0} ${progress.lastError}`;
    if (text === each.text && now - each.at < AT_LEAST_EVERY_MS) continue;
    const values = [stream.sync, stream.target, state, runnerName(), rate.toFixed(1), progress.lastRound ? 'now' : null, progress.lastError];
    if (!(await writeReport(sync, stream, values))) continue;
    progress.lastRound = false;
    Object.assign(each, { rows: progress.rows, at: now, text });
  }
}

/** False when the source cannot be reached: the streams themselves report that. */
async function writeReport(sync: SyncRun, stream: StreamName, values: readonly (string | null)[]): Promise<boolean> {
  try {
    const at = await sync.sources.get(stream.source)?.();
    await at?.source.query(writeStream, values);
    return at !== undefined;
  } catch (error) {
    return error === null;
  }
}

function runnerName(): string {
  return `${hostname()}:${process.pid}`;
}
