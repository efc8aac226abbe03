import { readdir, readFile } from 'node:fs/promises';
import { execa } from 'execa';
import { unless } from './binaries.ts';

/** The direct children of a process. A server's backends lead groups of their own, so no group reaches them. */
export async function children(parent: number): Promise<number[]> {
  if (process.platform !== 'linux') {
    const answer = await execa('pgrep', ['-P', String(parent)], { reject: false });
    return answer.stdout.split('\n').filter(Boolean).map(Number);
  }
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const parents = await Promise.all(pids.map(parentOf));
  return pids.map(Number).filter((_, index) => parents[index] === parent);
}

/** Sends a signal; a process that is gone already needs none. */
export function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    unless('ESRCH')(error);
  }
}

/** False as well for a process that has ended and waits for its parent to notice. */
export async function isAlive(pid: number): Promise<boolean> {
  if (process.platform === 'linux') return !['', 'Z', 'X'].includes((await statOf(String(pid)))[0] ?? '');
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as { code?: unknown }).code === 'EPERM';
  }
}

/**
 * Watches over a server's data directory: when this process ends, even by SIGKILL, the watcher's input closes, and it stops the
 * server and removes the directory. Returns what lets it go.
 */
export function watchOver(directory: string): () => Promise<void> {
  const script = `
    cat > /dev/null
    pid=$(head -n 1 "$0/postmaster.pid" 2> /dev/null) && kill -QUIT "$pid" 2> /dev/null
    while [ -n "$pid" ] && kill -0 "$pid" 2> /dev/null; do sleep 0.1; done
    rm -rf "$0"`;
  const watcher = execa('sh', ['-c', script, directory], { stdio: ['pipe', 'ignore', 'ignore'], detached: true, cleanup: false, reject: false });
  watcher.unref();
  return async () => {
    watcher.ref();
    watcher.stdin?.end();
    await watcher;
  };
}

async function parentOf(pid: string): Promise<number> {
  return Number((await statOf(pid))[1] ?? 0);
}

/** State, parent and the rest: the fields after the command's name, which may itself hold blanks and brackets. */
async function statOf(pid: string): Promise<string[]> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(unless('ENOENT', 'ESRCH'));
  return text?.slice(text.lastIndexOf(')') + 2).split(' ') ?? [];
}
