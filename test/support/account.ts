import { stat, statfs } from 'node:fs/promises';
import { freemem, tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { execa } from 'execa';

/** The account that servers run as; PostgreSQL refuses root. Null: ours. */
export type Account = { readonly uid: number; readonly gid: number } | null;

/** For root: `postgres` where it exists, else `nobody`, which every system has. No account is ever created. */
export async function serverAccount(): Promise<Account> {
  if (process.getuid?.() !== 0) return null;
  for (const name of ['postgres', 'nobody']) {
    const answers = await Promise.all([execa('id', ['-u', name], { reject: false }), execa('id', ['-g', name], { reject: false })]);
    const [uid, gid] = answers.map((answer) => Number(answer.exitCode === 0 ? answer.stdout : Number.NaN));
    if (Number.isInteger(uid) && Number.isInteger(gid)) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error('running as root, and there is no account `postgres` or `nobody` for the servers');
}

/** Whether the account can come to the path: a clone below a private home directory is closed to it. */
export async function isReachable(path: string, account: Account): Promise<boolean> {
  if (!account) return true;
  for (let folder = path; folder !== dirname(folder); folder = dirname(folder)) {
    const { mode, uid } = await stat(folder);
    if ((mode & 0o001) === 0 && uid !== account.uid) return false;
  }
  return true;
}

/** The system's temporary folder, or `/tmp` when that one is closed to the account. */
export async function temporaryFolder(account: Account): Promise<string> {
  return (await isReachable(tmpdir(), account)) ? tmpdir() : '/tmp';
}

const MEMORY_FOLDER = '/dev/shm';
const ROOM = 6e9;

/**
 * Where data that need not outlive the machine is kept: in memory where there is room. A test makes and drops databases of three hundred
 * files each; some disks' file systems look long for a place when as many files have just gone.
 */
export async function fastFolder(account: Account): Promise<string> {
  const space = await statfs(MEMORY_FOLDER).catch(() => null);
  const hasRoom = space !== null && space.bavail * space.bsize > ROOM && freemem() > ROOM;
  const isOpenToAll = space !== null && ((await stat(MEMORY_FOLDER)).mode & 0o003) === 0o003;
  return hasRoom && isOpenToAll ? MEMORY_FOLDER : temporaryFolder(account);
}
