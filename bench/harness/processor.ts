import { readdir, readFile } from 'node:fs/promises';
import { unless } from '../../test/support/binaries.ts';

const NANOSECONDS = 1e9;

/**
 * Seconds of processor time that the processes, and all that they started and that still live, have used so far (Linux).
 *
 * From the scheduler's own count in nanoseconds (`/proc/PID/task/TID/schedstat`, its first number; kernel documentation,
 * scheduler/sched-stats). The ticks of `/proc/PID/stat` charge a whole tick to whoever runs when it comes: for processes
 * that wake up often and briefly, on a timer like the tick itself, they say several times too much.
 */
export async function processorSeconds(roots: readonly number[]): Promise<number> {
  const alive = (await Promise.all((await readdir('/proc')).filter(isNumber).map(readProcess))).filter((each) => each !== null);
  const wanted = new Set(roots);
  for (let before = 0; before !== wanted.size; ) {
    before = wanted.size;
    for (const { pid, parent } of alive) if (wanted.has(parent)) wanted.add(pid);
  }
  const used = await Promise.all([...wanted].map(usedNanoseconds));
  return used.reduce((sum, each) => sum + each, 0) / NANOSECONDS;
}

/** The parent of a process. */
export async function parentOf(pid: number): Promise<number> {
  const found = await readProcess(String(pid));
  if (found === null) throw new Error(`process ${pid} is gone`);
  return found.parent;
}

type Process = { readonly pid: number; readonly parent: number };

/** Fields after the name, which stands in parentheses and may hold anything: state, parent, … */
async function readProcess(pid: string): Promise<Process | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(unless('ENOENT', 'ESRCH'));
  if (!text) return null;
  return { pid: Number(pid), parent: Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1]) };
}

/** Of all threads that live. */
async function usedNanoseconds(pid: number): Promise<number> {
  const threads = (await readdir(`/proc/${pid}/task`).catch(unless('ENOENT', 'ESRCH'))) ?? [];
  const read = threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').catch(unless('ENOENT', 'ESRCH')));
  return (await Promise.all(read)).reduce((sum, text) => sum + (text ? Number(text.split(' ')[0]) : 0), 0);
}

function isNumber(name: string): boolean {
  return /^\d+$/.test(name);
}
