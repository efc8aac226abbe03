import { readFile } from 'node:fs/promises';
import type { ConnectionOptions } from 'node:tls';
import type { Client, ClientConfig } from 'pg';
import { failure } from '../../plan/errors.ts';
import { sqlState } from './connection-failure.ts';
import { failureText } from './error-text.ts';
import type { SslSettings, Target } from './connection-url.ts';

/** One way to connect. `tls` is null for none. */
export type Attempt = { readonly config: ClientConfig; readonly tls: ConnectionOptions | null };

type Place = { readonly database: string; readonly variable: string };

/** The ways to connect, in the order of libpq: `prefer` begins with TLS and `allow` without, all others know one way only. */
export async function connectionAttempts(target: Target, place: Place): Promise<readonly Attempt[]> {
  const isSocket = target.host?.startsWith('/') === true;
  const { mode } = target.ssl;
  const wantsTls = !isSocket && mode !== 'disable';
  const tls = wantsTls ? await tlsOptions(target.ssl, place) : null;
  const secured = tls === null ? [] : [attempt(target, tls)];
  const plain = isSocket || ['disable', 'allow', 'prefer'].includes(mode) ? [attempt(target, null)] : [];
  if (target.channelBinding !== 'require') return mode === 'allow' ? [...plain, ...secured] : [...secured, ...plain];
  if (secured.length > 0) return secured;
  throw fault(place, 'wants channel binding without TLS', 'Channel binding needs sslmode=require or more.');
}

function attempt(target: Target, tls: ConnectionOptions | null): Attempt {
  const { host, port, user, password, database, options } = target;
  const named = Object.entries({ host, port, user, password, database, options }).filter(([, value]) => value !== null);
  const config: ClientConfig = {
    ...Object.fromEntries(named),
    ssl: tls ?? false,
    sslnegotiation: tls !== null && target.ssl.direct ? 'direct' : 'postgres',
    enableChannelBinding: tls !== null && target.channelBinding !== 'disable',
  };
  return { config, tls };
}

/** Whether the next way may be tried after this error: the server has no TLS, cannot agree on it, or has a rule against this kind of connection. */
export function isWorthAnother(error: unknown, failed: Attempt): boolean {
  if (sqlState(error) === '28000') return true;
  if (failed.tls === null) return false;
  const { code } = error as { code?: unknown };
  return /does not support SSL|establishing an SSL/.test(failureText(error)) || /^(ERR_SSL|ERR_TLS|EPROTO)/.test(String(code));
}

/** What libpq promises of each mode: `require` encrypts and trusts anybody unless a root certificate is given; only `verify-full` looks at names. */
async function tlsOptions(ssl: SslSettings, place: Place): Promise<ConnectionOptions> {
  const isSystem = ssl.rootCertificate === 'system';
  if (isSystem && ssl.mode !== 'verify-full') throw fault(place, 'has sslrootcert=system with a weak sslmode', 'It goes with sslmode=verify-full only.');
  if (ssl.mode === 'verify-ca' && ssl.rootCertificate === null) {
    throw fault(place, 'has sslmode=verify-ca without sslrootcert', 'Name the file of the certificate authority, or use sslmode=verify-full.');
  }
  const read = (parameter: string, path: string | null): Promise<string | undefined> => readCertificate({ parameter, path, place });
  const ca = isSystem ? undefined : await read('sslrootcert', ssl.rootCertificate);
  const [cert, key] = [await read('sslcert', ssl.certificate), await read('sslkey', ssl.key)];
  const verifies = ssl.mode.startsWith('verify-') || (ssl.mode === 'require' && ca !== undefined);
  return {
    rejectUnauthorized: verifies,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(ssl.mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  };
}

async function readCertificate(wanted: { parameter: string; path: string | null; place: Place }): Promise<string | undefined> {
  const { parameter, path, place } = wanted;
  if (path === null) return undefined;
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const hint = `Give ${parameter} the path of a PEM file that this account may read.`;
    throw fault(place, `names a file that cannot be read in ${parameter}: ${failureText(error)}`, hint);
  }
}

/** Lets go of a connection before a password or its proof is sent over a way that is not bound to the server's certificate. */
export function requireChannelBinding(client: Client): { readonly refusal: () => Error | null } {
  const inner = (client as unknown as { connection: Inner }).connection;
  let isBound = false;
  let refusal: Error | null = null;
  const refuse = (): void => {
    refusal = new Error('channel_binding=require, but the server offers no SCRAM with channel binding');
    inner.stream.destroy(refusal);
  };
  inner.on('authenticationCleartextPassword', refuse);
  inner.on('authenticationMD5Password', refuse);
  inner.on('authenticationSASL', ({ mechanisms }) => {
    isBound = mechanisms.includes('SCRAM-SHA-256-PLUS');
    if (!isBound) refuse();
  });
  inner.on('authenticationOk', () => {
    if (!isBound) refuse();
  });
  return { refusal: () => refusal };
}

type Inner = {
  readonly stream: { destroy(error: Error): void };
  on(event: string, listener: (message: { readonly mechanisms: readonly string[] }) => void): void;
};

function fault({ database, variable }: Place, message: string, hint: string): Error {
  return failure('invalid', { code: 'SAR432', where: `database ${database}`, message: `the connection string in ${variable} ${message}`, hint });
}
