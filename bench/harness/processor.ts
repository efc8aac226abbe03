import { readdir, readFile } from 'node:fs/promises';
import { execa } from 'execa';
import { unless } from '../../test/support/binaries.ts';

/** Seconds of processor time that the processes, and all that they started and that still live, have used so far (Linux). */
export async function processorSeconds(roots: readonly number[]): Promise<number> {
  const ticks = Number((await execa('getconf', ['CLK_TCK'])).stdout);
  const processes = await Promise.all((await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(readProcess));
  const alive = processes.filter((each) => each !== null);
  const wanted = new Set(roots);
  for (let before = 0; before !== wanted.size; ) {
    before = wanted.size;
    for (const { pid, parent } of alive) if (wanted.has(parent)) wanted.add(pid);
  }
  return alive.filter(({ pid }) => wanted.has(pid)).reduce((sum, { used }) => sum + used, 0) / ticks;
}

/** The parent of a process. */
export async function parentOf(pid: number): Promise<number> {
  const found = await readProcess(String(pid));
  if (found === null) throw new Error(`process ${pid} is gone`);
  return found.parent;
}

type Process = { readonly pid: number; readonly parent: number; readonly used: number };

/** Fields after the name, which stands in parentheses and may hold anything: state, parent, …, user and system time. */
async function readProcess(pid: string): Promise<Process | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(unless('ENOENT', 'ESRCH'));
  if (!text) return null;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { pid: Number(pid), parent: Number(fields[1]), used: Number(fields[11]) + Number(fields[12]) };
}
