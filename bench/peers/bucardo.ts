import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { PUBLIC_TABLES } from '../harness/tables.sql.ts';
import type { Databases, Follower, Peer } from '../harness/peer.ts';

/** Where its own database is: a server with plperlu, which the embedded ones do not have. */
const CONTROL = 'BUCARDO_CONTROL_URL';

/** Bucardo 5 at its defaults, where the program and a server for its own database (`bucardo install` done) are at hand. */
export const bucardo: Peer = {
  name: 'bucardo',
  missing: async () => {
    const { failed } = await execa('bucardo', ['--version'], { reject: false });
    if (failed) return 'not installed';
    return process.env[CONTROL] ? null : `no ${CONTROL}`;
  },
  follow: (databases) => start(databases, []),
  prepareCopy: async (databases) => () => start(databases, ['onetimecopy=1']),
};

async function start({ source, target }: Databases, options: readonly string[]): Promise<Follower> {
  const folder = await mkdtemp(join(tmpdir(), 'bucardo-bench-'));
  const control = new URL(process.env[CONTROL] ?? '');
  const place = [`--dbhost=${control.hostname}`, `--dbport=${control.port || '5432'}`, '--dbname=bucardo', '--dbuser=bucardo'];
  const run = (...args: readonly string[]) =>
    execa('bucardo', ['--no-bucardorc', ...place, `--piddir=${folder}`, `--log-dest=${folder}`, ...args], { cwd: folder, env: { HOME: folder } });
  for (const [name, { url }] of [
    ['A', source],
    ['B', target],
  ] as const) {
    const { pathname, hostname, port, username } = new URL(url);
    await run('add', 'db', name, `dbname=${pathname.slice(1)}`, `host=${hostname}`, `port=${port}`, `user=${username}`);
  }
  const tables = await source.query<{ name: string }>(PUBLIC_TABLES);
  await run('add', 'table', ...tables.map(({ name }) => name), 'db=A', 'relgroup=bench');
  await run('add', 'sync', 'bench', 'relgroup=bench', 'dbs=A:source,B:target', ...options);
  await run('start');
  const stop = async (): Promise<void> => {
    await run('stop');
    for (const what of [
      ['sync', 'bench'],
      ['relgroup', 'bench'],
      ['db', 'A', 'B'],
    ])
      await run('remove', ...what, '--force');
    await rm(folder, { recursive: true, force: true });
  };
  const pause = async (): Promise<void> => void (await run('stop'));
  const resume = async (): Promise<void> => void (await run('start'));
  return { peakMb: async () => null, pid: () => null, stop, pause, resume, isRunning: () => run('ping', '30') };
}
