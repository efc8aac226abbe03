import { chmod, chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { serverAccount, temporaryFolder } from './account.ts';

export type Certificates = {
  /** Of the authority that signed all others, and of one that signed none. */
  readonly ca: string;
  readonly otherCa: string;
  /** For `localhost`, readable for servers only. */
  readonly server: { readonly certificate: string; readonly key: string };
  /** For a user of the name that was asked for. */
  readonly client: { readonly certificate: string; readonly key: string };
  /** A file that servers can read. */
  write(name: string, text: string): Promise<string>;
  remove(): Promise<void>;
};

export async function hasOpenssl(): Promise<boolean> {
  return (await execa('openssl', ['version'], { reject: false })).exitCode === 0;
}

/** An authority of our own, with a certificate for a server on localhost and one for a user. */
export async function makeCertificates(user: string): Promise<Certificates> {
  const account = await serverAccount();
  const folder = await mkdtemp(join(await temporaryFolder(account), 'sarrio-tls-'));
  const openssl = (...args: readonly string[]) => execa('openssl', args, { cwd: folder });
  const path = (name: string): string => join(folder, name);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'] as const;
  for (const name of ['ca', 'other'])
    await openssl('req', '-x509', ...key, '-days', '2', '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.crt`);
  await writeFile(path('server.ext'), 'subjectAltName=DNS:localhost');
  await writeFile(path('client.ext'), '');
  for (const [name, subject] of [['server', 'localhost'] as const, ['client', user] as const]) {
    await openssl('req', ...key, '-subj', `/CN=${subject}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
    const signer = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', `${name}.ext`] as const;
    await openssl('x509', '-req', '-in', `${name}.csr`, ...signer, '-out', `${name}.crt`);
  }
  const give = async (name: string): Promise<string> => {
    if (account) await chown(path(name), account.uid, account.gid);
    await chmod(path(name), 0o600);
    return path(name);
  };
  await chmod(folder, 0o755);
  return {
    ca: path('ca.crt'),
    otherCa: path('other.crt'),
    server: { certificate: await give('server.crt'), key: await give('server.key') },
    client: { certificate: path('client.crt'), key: path('client.key') },
    write: async (name, text) => {
      await writeFile(path(name), text);
      return give(name);
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Flags of a server that offers TLS with these certificates and follows these rules of `pg_hba.conf`. */
export async function tlsFlags(certificates: Certificates, rules: string): Promise<readonly string[]> {
  const hba = await certificates.write('hba.conf', rules);
  const { server, write } = certificates;
  const root = await write('trusted.crt', await readFile(certificates.ca, 'utf8'));
  const settings = { ssl: 'on', ssl_cert_file: server.certificate, ssl_key_file: server.key, ssl_ca_file: root, hba_file: hba };
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}
