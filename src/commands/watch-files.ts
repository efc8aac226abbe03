import { stat, watch } from 'node:fs/promises';
import { resolve } from 'node:path';

export type WatchOptions = {
  readonly cwd: string;
  readonly signal: AbortSignal;
  /** Whether a change of this file (an absolute path) matters. */
  readonly isWatched: (file: string) => boolean;
};

/** Does the work once, and again after each change below `cwd` that matters, one at a time, until the signal. */
export async function watchFiles({ cwd, signal, isWatched }: WatchOptions, work: () => Promise<void>): Promise<void> {
  const changes = watch(cwd, { recursive: true, signal })[Symbol.asyncIterator]();
  // It begins to listen when it is first asked, so before the work: what changes meanwhile must not go unseen.
  let next = changes.next();
  next.catch(() => undefined);
  const seen = new Map<string, string>();
  await work();
  try {
    for (let change = await next; change.done !== true; change = await next) {
      next = changes.next();
      next.catch(() => undefined);
      const { filename } = change.value;
      if (filename === null || /(^|[\\/])(node_modules|\.git)[\\/]/.test(filename)) continue;
      const file = resolve(cwd, filename);
      if (!isWatched(file)) continue;
      // One change of a file comes as several events.
      const state = await stateOf(file);
      if (seen.get(file) === state) continue;
      seen.set(file, state);
      await work();
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function stateOf(file: string): Promise<string> {
  try {
    const { mtimeMs, size, ino } = await stat(file);
    return JSON.stringify([mtimeMs, size, ino]);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 'gone';
    throw error;
  }
}
