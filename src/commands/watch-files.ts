import { existsSync, type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { systemClock } from '../runner/clock.ts';

export type WatchOptions = {
  readonly cwd: string;
  readonly signal: AbortSignal;
  /** Whether a change of this file (an absolute path) matters. */
  readonly isWatched: (file: string) => boolean;
  /** Folders of the files that matter, as far as they are known. */
  readonly folders: () => readonly string[];
};

/** Does the work once, and again after changes below `cwd` or in one of the folders that matter, one at a time, until the signal. */
export async function watchFiles({ cwd, signal, isWatched, folders }: WatchOptions, work: () => Promise<void>): Promise<void> {
  const changes = collectChanges(cwd, signal);
  const seen = new Map<string, string>();
  try {
    changes.follow(folders());
    await work();
    for (;;) {
      changes.follow(folders());
      const files = (await changes.next()).filter((file) => !/(^|[\\/])(node_modules|\.git)[\\/]/.test(relative(cwd, file)) && isWatched(file));
      if (signal.aborted) return;
      let isDue = false;
      for (const file of files) {
        // One change of a file comes as several events.
        const state = await writtenState(file);
        isDue ||= seen.get(file) !== state;
        seen.set(file, state);
      }
      if (isDue) await work();
    }
  } finally {
    changes.close();
  }
}

type Changes = {
  readonly follow: (folders: readonly string[]) => void;
  /** Files that have changed since it was asked last; waits for one, or for the signal. */
  readonly next: () => Promise<readonly string[]>;
  readonly close: () => void;
};

/**
 * Looks at all that is below a folder, and at some folders themselves: many editors save a file by putting another one in its place, and on
 * Linux the first kind of looking loses sight of a file that was replaced.
 */
function collectChanges(cwd: string, signal: AbortSignal): Changes {
  const changed = new Set<string>();
  const watchers = new Map<string, FSWatcher>();
  let failed: Error | null = null;
  let wake = (): void => undefined;
  const listen = (folder: string, recursive: boolean): FSWatcher => {
    const watcher = watch(folder, { recursive }, (_, name) => {
      if (name !== null) changed.add(resolve(folder, name));
      wake();
    });
    return watcher.on('error', (error) => {
      failed = error;
      wake();
    });
  };
  const below = listen(cwd, true);
  signal.addEventListener('abort', () => wake(), { once: true });
  return {
    follow: (folders) => {
      for (const folder of [cwd, ...folders]) if (!watchers.has(folder) && existsSync(folder)) watchers.set(folder, listen(folder, false));
    },
    next: async () => {
      if (changed.size === 0 && failed === null && !signal.aborted) {
        await new Promise<void>((done) => {
          wake = done;
        });
      }
      if (failed !== null) throw failed;
      const files = [...changed];
      changed.clear();
      return files;
    },
    close: () => {
      for (const watcher of [below, ...watchers.values()]) watcher.close();
    },
  };
}

/** How long a file may be empty before it is taken for an empty file. */
const EMPTY_MS = 200;
const LOOK_AGAIN_MS = 10;

/** Many programs empty a file first and then write it; what is compiled in between tells of faults that nobody has made. */
async function writtenState(file: string): Promise<string> {
  let state = await stateOf(file);
  for (let waited = 0; state.size === 0 && waited < EMPTY_MS; waited += LOOK_AGAIN_MS) {
    await systemClock.sleep(LOOK_AGAIN_MS);
    state = await stateOf(file);
  }
  return JSON.stringify(state);
}

type FileState = { readonly mtimeMs?: number; readonly size: number | null; readonly ino?: number };

/** `size` is null where there is no file. */
async function stateOf(file: string): Promise<FileState> {
  try {
    const { mtimeMs, size, ino } = await stat(file);
    return { mtimeMs, size, ino };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { size: null };
    throw error;
  }
}
