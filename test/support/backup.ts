import { appendFile, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { onTestFinished } from 'vitest';
import { type Account, serverAccount, temporaryFolder } from './account.ts';
import { openDatabase } from './database.ts';
import { waitUntil } from './wait.ts';
import { type ServerOptions, startServer, type TestServer } from './server.ts';

/** A copy of a server's files as they were at one moment. */
export type Backup = { readonly directory: string };

/** Stops the server, copies its files, and starts it again. */
export async function backUp(server: TestServer): Promise<Backup> {
  const account = await serverAccount();
  const directory = await mkdtemp(join(await temporaryFolder(account), 'sarrio-backup-'));
  if (account) await chown(directory, account.uid, account.gid);
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  await server.stop();
  await copyFiles(server.dataDirectory, directory, account);
  await server.start();
  return { directory };
}

/** Puts the server back to what it was, on the same port. `newTimeline`: as point-in-time recovery does it. */
export async function restore(server: TestServer, backup: Backup, options: { newTimeline?: boolean } = {}): Promise<void> {
  const account = await serverAccount();
  await server.stop('immediate');
  await execa('find', [server.dataDirectory, '-mindepth', '1', '-delete']);
  await copyFiles(backup.directory, server.dataDirectory, account);
  if (options.newTimeline) {
    await addFile(server.dataDirectory, 'recovery.signal', '', account);
    await appendFile(join(server.dataDirectory, 'postgresql.auto.conf'), "restore_command = 'false'\n");
  }
  await server.start();
  const database = openDatabase(server.url('postgres'));
  await waitUntil('recovery has ended', async () => (await database.query('select pg_is_in_recovery() as yes'))[0]?.['yes'] === false);
  await database.close();
}

/** Another server with the files of the backup, beside the original. Disposed of after the test. */
export async function startCopy(backup: Backup): Promise<TestServer> {
  return started({ fill: (directory, account) => copyFiles(backup.directory, directory, account) });
}

/** A streaming standby, made as pg_basebackup makes one. Disposed of after the test. */
export async function startStandby(primary: TestServer): Promise<TestServer> {
  const fill = async (directory: string, account: Account): Promise<void> => {
    const admin = await openDatabase(primary.url('postgres')).connect();
    try {
      await admin.query("select pg_backup_start('standby', true)");
      await copyFiles(primary.dataDirectory, directory, account);
      const { rows } = await admin.query<{ label: string }>('select labelfile as label from pg_backup_stop(false)');
      await addFile(directory, 'backup_label', rows[0]?.label ?? '', account);
      await addFile(directory, 'standby.signal', '', account);
    } finally {
      await admin.end();
    }
  };
  return started({ fill, flags: ['-c', `primary_conninfo=host=127.0.0.1 port=${primary.port} user=postgres`] });
}

/** Makes a standby a primary, on a timeline of its own. */
export async function promote(standby: TestServer): Promise<void> {
  const database = openDatabase(standby.url('postgres'));
  await database.query('select pg_promote(true, 60)');
  await database.close();
}

async function started(options: ServerOptions): Promise<TestServer> {
  const server = await startServer({ durable: false, ...options });
  onTestFinished(() => server.dispose());
  return server;
}

/** A running server removes files while they are copied; its log replays what that loses. */
async function copyFiles(from: string, to: string, account: Account): Promise<void> {
  const answer = await execa('cp', ['-pR', `${from}/.`, to], { reject: false, ...(account ?? {}) });
  const faults = answer.stderr.split('\n').filter((line) => line !== '' && !/No such file or directory/.test(line));
  if (faults.length > 0) throw new Error(faults.join('\n'));
  for (const name of ['postmaster.pid', 'postmaster.opts', 'server.log']) await rm(join(to, name), { force: true });
}

async function addFile(directory: string, name: string, text: string, account: Account): Promise<void> {
  await writeFile(join(directory, name), text);
  if (account) await chown(join(directory, name), account.uid, account.gid);
}
