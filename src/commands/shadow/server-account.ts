import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { failure } from '../../plan/errors.ts';

/** The account that a server of ours runs as; null: this process's. */
export type ServerAccount = { readonly uid: number; readonly gid: number } | null;

/** For root, whom PostgreSQL refuses: `postgres` where it exists, else `nobody`. No account is ever made. */
export async function serverAccount(): Promise<ServerAccount> {
  if (process.getuid?.() !== 0) return null;
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = await Promise.all([numberOf('-u', name), numberOf('-g', name)]);
    if (uid !== null && gid !== null) return { uid, gid };
  }
  throw failure('failed', {
    code: 'SAR526',
    message: 'this runs as root, which no server does, and there is no account postgres or nobody for it',
    hint: 'Name another server: --shadow postgres://user@host/postgres',
  });
}

async function numberOf(flag: '-u' | '-g', name: string): Promise<number | null> {
  const answer = await promisify(execFile)('id', [flag, name]).catch(() => null);
  return answer === null ? null : Number(answer.stdout);
}

/** Whether the account can come to the path: a project below a private home directory is closed to it. */
export async function isOpenTo(path: string, account: ServerAccount): Promise<boolean> {
  if (account === null) return true;
  for (let folder = path; folder !== dirname(folder); folder = dirname(folder)) {
    const { mode, uid } = await stat(folder);
    if ((mode & 0o001) === 0 && uid !== account.uid) return false;
  }
  return true;
}
