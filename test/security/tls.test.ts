import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { chownSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, onTestFinished, vi } from 'vitest';
import { serverAccount, temporaryFolder } from '../support/account.ts';
import { connect } from '../../src/runner/postgres/session.ts';
import { type Certificates, hasOpenssl, makeCertificates, tlsFlags } from '../support/certificates.ts';
import { startServer, type TestServer } from '../support/server.ts';

const PASSWORD = 'p@ss:w/o?r#d %41 ü&=+';
const RULES = `
  local all all trust
  hostssl all certified 127.0.0.1/32 cert
  hostssl all secret 127.0.0.1/32 scram-sha-256
  hostnossl all plain 127.0.0.1/32 trust
  hostssl all secured 127.0.0.1/32 trust
  host all postgres 127.0.0.1/32 trust
`;

const isThere = await hasOpenssl();
if (!isThere) process.stderr.write('no tests of TLS: there is no program openssl to make certificates with\n');

describe.skipIf(!isThere)('TLS as libpq has it:', () => {
  let certificates: Certificates;
  let secured: TestServer;
  let plain: TestServer;
  let sockets: string;

  beforeAll(async () => {
    certificates = await makeCertificates('certified');
    const account = await serverAccount();
    sockets = await mkdtemp(join(await temporaryFolder(account), 'sarrio-socket-'));
    if (account) chownSync(sockets, account.uid, account.gid);
    const flags = [...(await tlsFlags(certificates, RULES)), '-c', `unix_socket_directories=${sockets}`];
    secured = await startServer({ durable: false, flags });
    plain = await startServer({ durable: false });
    const admin = await secured.createDatabase('other');
    await admin.script(`create role certified login; create role plain login; create role secured login; set password_encryption = 'scram-sha-256';
      create role secret login password '${PASSWORD}'`);
    await admin.close();
  });

  afterAll(async () => {
    await Promise.all([secured?.dispose(), plain?.dispose()]);
    await certificates?.remove();
    await rm(sockets, { recursive: true, force: true });
  });

  /** Whether the connection is encrypted. */
  async function encrypted(options: {
    user?: string;
    host?: string;
    server?: TestServer;
    parameters?: string;
    env?: Record<string, string>;
    password?: string;
  }) {
    const { user = 'postgres', host = '127.0.0.1', server = secured, parameters = '', env = {}, password } = options;
    const login = password === undefined ? user : `${user}:${encodeURIComponent(password)}`;
    const url = `postgresql://${login}@${host}:${server.port}/postgres${parameters === '' ? '' : `?${parameters}`}`;
    const session = await connect({ database: 'east', variable: 'EAST_URL', url, role: 'inspect', env });
    const { rows } = await session.query('select ssl from pg_stat_ssl where pid = pg_backend_pid()');
    await session.close();
    return rows[0]?.['ssl'] === 't';
  }

  test('nothing said means prefer: encrypted where the server can, plain where it cannot or will not', async () => {
    expect(await encrypted({})).toBe(true);
    expect(await encrypted({ server: plain })).toBe(false);
    expect(await encrypted({ user: 'plain' })).toBe(false);
    await expect(encrypted({ user: 'nobody' })).rejects.toThrow(/SAR401.*nobody/);
  });

  test('disable, allow, require', async () => {
    expect(await encrypted({ parameters: 'sslmode=disable' })).toBe(false);
    await expect(encrypted({ parameters: 'sslmode=disable', user: 'secured' })).rejects.toThrow(/SAR401.*pg_hba/);
    expect(await encrypted({ parameters: 'sslmode=allow' })).toBe(false);
    expect(await encrypted({ parameters: 'sslmode=allow', user: 'secured' })).toBe(true);
    expect(await encrypted({ parameters: 'sslmode=require' })).toBe(true);
    await expect(encrypted({ parameters: 'sslmode=require', server: plain })).rejects.toThrow(/SAR401.*does not support SSL/);
    await expect(encrypted({ parameters: 'sslmode=require', user: 'plain' })).rejects.toThrow(/SAR401.*pg_hba/);
  });

  test('verification: of the authority, of the name, of neither', async () => {
    const { ca, otherCa } = certificates;
    expect(await encrypted({ parameters: `sslmode=require&sslrootcert=${ca}` })).toBe(true);
    await expect(encrypted({ parameters: `sslmode=require&sslrootcert=${otherCa}` })).rejects.toThrow(/SAR401.*(certificate|issuer)/);
    expect(await encrypted({ parameters: `sslmode=verify-ca&sslrootcert=${ca}` })).toBe(true);
    await expect(encrypted({ parameters: `sslmode=verify-ca&sslrootcert=${otherCa}` })).rejects.toThrow('SAR401');
    await expect(encrypted({ parameters: 'sslmode=verify-ca' })).rejects.toThrow(/SAR432.*without sslrootcert/);
    expect(await encrypted({ host: 'localhost', parameters: `sslmode=verify-full&sslrootcert=${ca}` })).toBe(true);
    await expect(encrypted({ parameters: `sslmode=verify-full&sslrootcert=${ca}` })).rejects.toThrow(/SAR401.*127\.0\.0\.1/);
    await expect(encrypted({ host: 'localhost', parameters: 'sslmode=verify-full' })).rejects.toThrow('SAR401');
    await expect(encrypted({ host: 'localhost', parameters: 'sslmode=verify-full&sslrootcert=system' })).rejects.toThrow('SAR401');
    await expect(encrypted({ parameters: 'sslmode=require&sslrootcert=system' })).rejects.toThrow('SAR432');
    await expect(encrypted({ parameters: 'sslmode=verify-full&sslrootcert=/nowhere/ca.crt' })).rejects.toThrow(/SAR432.*sslrootcert.*ENOENT/);
  });

  test('a certificate of the client', async () => {
    const { certificate, key } = certificates.client;
    expect(await encrypted({ user: 'certified', parameters: `sslmode=require&sslcert=${certificate}&sslkey=${key}` })).toBe(true);
    await expect(encrypted({ user: 'certified', parameters: 'sslmode=require' })).rejects.toThrow(/SAR401.*certificate/);
  });

  test('what the string leaves open comes from PGSSL…', async () => {
    expect(await encrypted({ env: { PGSSLMODE: 'disable' } })).toBe(false);
    expect(await encrypted({ env: { PGSSLMODE: 'disable' }, parameters: 'sslmode=require' })).toBe(true);
    const env = { PGSSLMODE: 'verify-full', PGSSLROOTCERT: certificates.ca };
    expect(await encrypted({ host: 'localhost', env })).toBe(true);
    await expect(encrypted({ env })).rejects.toThrow('SAR401');
  });

  test('a password of any characters, and channel binding', async () => {
    expect(await encrypted({ user: 'secret', password: PASSWORD })).toBe(true);
    expect(await encrypted({ user: 'secret', password: PASSWORD, parameters: 'channel_binding=prefer' })).toBe(true);
    expect(await encrypted({ user: 'secret', password: PASSWORD, parameters: 'channel_binding=require' })).toBe(true);
    expect(await encrypted({ user: 'secret', parameters: `password=${encodeURIComponent(PASSWORD)}` })).toBe(true);
    await expect(encrypted({ parameters: 'channel_binding=require' })).rejects.toThrow(/SAR401.*channel binding/);
    await expect(encrypted({ user: 'secret', password: PASSWORD, parameters: 'channel_binding=require&sslmode=disable' })).rejects.toThrow('SAR432');
    const wrong = await encrypted({ user: 'secret', password: 'canary-of-a-password' }).catch((error: Error) => error);
    expect(String(wrong)).toMatch(/SAR401.*password authentication failed/);
    expect(JSON.stringify(wrong) + String((wrong as Error).stack)).not.toContain('canary');
  });

  test('Unix sockets, where TLS has nothing to do, in every spelling', async () => {
    const folder = encodeURIComponent(sockets);
    const spellings = [
      `postgresql://postgres@/other?host=${folder}&port=${secured.port}&sslmode=require`,
      `postgres://postgres@${folder}:${secured.port}/other`,
      `postgresql:///other?user=postgres&host=${folder}&port=${secured.port}`,
      `socket://postgres@${sockets}?db=other&port=${secured.port}`,
    ];
    for (const url of spellings) {
      const session = await connect({ database: 'east', variable: 'EAST_URL', url, role: 'inspect' });
      const { rows } = await session.query('select current_database() as name, inet_server_addr() is null as is_local');
      await session.close();
      expect(rows, url).toEqual([{ name: 'other', is_local: 't' }]);
    }
  });

  test('a Unix socket that PGHOST names', async () => {
    vi.stubEnv('PGHOST', sockets);
    onTestFinished(() => void vi.unstubAllEnvs());
    const session = await connect({ database: 'east', variable: 'EAST_URL', url: `postgresql:///other?user=postgres&port=${secured.port}`, role: 'inspect' });
    const { rows } = await session.query('select inet_server_addr() is null as is_local');
    await session.close();
    expect(rows).toEqual([{ is_local: 't' }]);
  });

  test('options of the startup message; ours are set after them', async () => {
    const url = `${plain.url('postgres')}?options=-c%20geqo%3Doff%20-c%20datestyle%3DGerman&application_name=mine`;
    const session = await connect({ database: 'east', variable: 'EAST_URL', url, role: 'inspect' });
    const { rows } = await session.query(
      "select current_setting('geqo') as geqo, current_setting('datestyle') as style, current_setting('application_name') as name",
    );
    await session.close();
    expect(rows).toEqual([{ geqo: 'off', style: 'ISO, YMD', name: 'sarrio inspect' }]);
  });
});

describe('a connection string that cannot mean what it says is refused, without a word of it:', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['postgresql://app:canary@one,two/db', /names several hosts/],
    ['postgresql://app:canary@one:5432,two:5433/db', /names several hosts/],
    ['postgresql://app:canary@/db?host=one,two', /names several hosts/],
    ['postgresql://app:canary@one/db?sslmod=require', /parameter that is not known here: sslmod/],
    ['postgresql://app:canary@one/db?canary-%3D=1', /not known here: \(not a name\)/],
    ['postgresql://app:canary@one/db?sslmode=canary', /value of sslmode/],
    ['postgresql://app:can%ary@one/db', /'%' that is not followed/],
    ['postgresql://app:can#ary@one/db', /is no URL/],
    ['postgresql://app:can/ary@one/db', /is no URL/],
    ['postgresql://app:canary@one:99999/db', /is no URL|has a port/],
    ['postgresql://app:canary@one/db?port=canary', /has a port/],
    ['postgresql://app:canary@one/db?connect_timeout=soon', /connect_timeout/],
  ];
  test.each(cases)('%s', async (url, message) => {
    const error = await connect({ database: 'east', variable: 'EAST_URL', url, role: 'inspect' }).catch((each: Error) => each);
    expect(String(error)).toMatch(message);
    expect(String(error)).toMatch(/SAR432: database east: the connection string in EAST_URL/);
    expect(String(error) + JSON.stringify(error) + String((error as Error).stack)).not.toMatch(/can.?ary(?! that)/);
  });
});
