import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { onTestFinished } from 'vitest';
import { serverAccount, temporaryFolder } from './account.ts';

/** A file system of its own, as small as said, that the servers may write to. */
export type SmallDisk = { readonly folder: string; grow(size: string): Promise<void> };

/** Null where this account may not mount anything: then there is no small disk to be had. Gone when the test has ended. */
export async function smallDisk(size: string): Promise<SmallDisk | null> {
  const account = await serverAccount();
  if (process.platform !== 'linux' || account === null) return null;
  const folder = await mkdtemp(join(await temporaryFolder(account), 'sarrio-disk-'));
  const options = `size=${size},mode=0700,uid=${account.uid},gid=${account.gid}`;
  const mounted = await execa('mount', ['-t', 'tmpfs', '-o', options, 'sarrio', folder], { reject: false });
  onTestFinished(async () => {
    if (mounted.exitCode === 0) await execa('umount', ['-l', folder]);
    await rm(folder, { recursive: true, force: true });
  });
  if (mounted.exitCode !== 0) return null;
  return { folder, grow: async (to) => void (await execa('mount', ['-o', `remount,size=${to}`, folder])) };
}
