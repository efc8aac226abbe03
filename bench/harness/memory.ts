import { readFile } from 'node:fs/promises';
import { unless } from '../../test/support/binaries.ts';

/** Largest resident memory of a living process in MB (Linux); null when nobody can tell. */
export async function peakMb(pid: number): Promise<number | null> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(unless('ENOENT', 'ESRCH'));
  const kilobytes = /^VmHWM:\s+(\d+) kB/m.exec(text ?? '')?.[1];
  return kilobytes ? Number(kilobytes) / 1024 : null;
}
