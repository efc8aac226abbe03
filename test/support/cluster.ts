import { chown, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { type Account, temporaryFolder } from './account.ts';
import { type Binaries, unless } from './binaries.ts';

type Cluster = { readonly programs: Binaries; readonly account: Account; readonly directory: string };

/** Fills an empty directory with a new cluster. `initdb` runs once per version; its result stays in the temporary folder and is copied. */
export async function copyCluster(cluster: Cluster): Promise<void> {
  const template = join(await temporaryFolder(cluster.account), `sarrio-cluster-${cluster.programs.version}-${cluster.account?.uid ?? 'own'}`);
  if (!(await stat(template).catch(unless('ENOENT')))) await makeTemplate(cluster, template);
  await execa('cp', ['-pR', `${template}/.`, cluster.directory], { ...(cluster.account ?? {}) });
}

/** Made aside and renamed, so that it is whole whenever it is there. */
async function makeTemplate({ programs, account }: Cluster, template: string): Promise<void> {
  const draft = await mkdtemp(`${template}-`);
  if (account) await chown(draft, account.uid, account.gid);
  const flags = ['--username=postgres', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync'];
  await execa(programs.initdb, [`--pgdata=${draft}`, ...flags], { env: { LC_ALL: 'C', TZ: 'UTC' }, ...(account ?? {}) });
  await rename(draft, template).catch(unless('ENOTEMPTY', 'EEXIST'));
  await rm(draft, { recursive: true, force: true });
}
