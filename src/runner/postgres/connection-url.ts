import { failure } from '../../plan/errors.ts';
import { readService } from './service-file.ts';

/** How the server is to be reached and trusted, in the words of libpq. */
export type Target = {
  /** A name, an address, or the folder of a Unix socket; null for the driver's default (PGHOST, then localhost). */
  readonly host: string | null;
  readonly port: number | null;
  readonly user: string | null;
  readonly password: string | null;
  readonly database: string | null;
  /** `options` of the startup message. */
  readonly options: string | null;
  readonly ssl: SslSettings;
  readonly channelBinding: 'disable' | 'prefer' | 'require';
  readonly connectTimeoutMs: number | null;
};

export type SslSettings = {
  readonly mode: (typeof SSL_MODES)[number];
  /** Files, as libpq names them; `system` for the certificates that come with Node. */
  readonly rootCertificate: string | null;
  readonly certificate: string | null;
  readonly key: string | null;
  readonly direct: boolean;
};

const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
const BINDINGS = ['disable', 'prefer', 'require'] as const;

/** Parameters that name nothing we would do otherwise: our sessions pin them, or keep them anyway. */
const HARMLESS: ReadonlySet<string> = new Set(
  'application_name fallback_application_name client_encoding keepalives keepalives_idle keepalives_interval keepalives_count target_session_attrs'.split(' '),
);
const KNOWN: ReadonlySet<string> = new Set(
  'host port user password dbname options service sslmode sslrootcert sslcert sslkey sslnegotiation channel_binding connect_timeout'.split(' '),
);

type Place = { readonly database: string; readonly variable: string };

/**
 * Reads a connection string as libpq does, so that it means here what it means to psql. The driver's own reading differs where it
 * matters: there `sslmode=require` verifies names, the default is no encryption, and parameters that it does not know are ignored.
 * No message ever has a part of the string but a parameter's name.
 */
export function readConnectionUrl(text: string, place: Place, env: Readonly<Record<string, string | undefined>>): Target {
  const bad = (message: string, hint: string): Error =>
    failure('invalid', { code: 'SAR432', where: `database ${place.database}`, message: `the connection string in ${place.variable} ${message}`, hint });
  const url = parseUrl(socketUrl(text), bad);
  const own = readParameters(url, bad);
  const service = serviceOf(own.get('service') ?? null, env, bad);
  const given = (name: string, variable?: string): string | null => own.get(name) ?? service.get(name) ?? (variable ? env[variable] : null) ?? null;
  const placed = (name: string, part: string): string | null => own.get(name) ?? (part === '' ? null : decode(part, bad)) ?? service.get(name) ?? null;
  return {
    host: oneHost(placed('host', url.hostname.replace(/^\[(.*)\]$/, '$1').replace(NO_HOST, '')), bad),
    port: portOf(placed('port', url.port) ?? '', bad),
    user: placed('user', url.username),
    password: placed('password', url.password),
    database: placed('dbname', url.pathname.replace(/^\//, '')),
    options: given('options'),
    ssl: {
      mode: choice('sslmode', given('sslmode', 'PGSSLMODE') ?? 'prefer', SSL_MODES, bad),
      rootCertificate: given('sslrootcert', 'PGSSLROOTCERT'),
      certificate: given('sslcert', 'PGSSLCERT'),
      key: given('sslkey', 'PGSSLKEY'),
      direct: choice('sslnegotiation', given('sslnegotiation', 'PGSSLNEGOTIATION') ?? 'postgres', ['postgres', 'direct'], bad) === 'direct',
    },
    channelBinding: choice('channel_binding', given('channel_binding', 'PGCHANNELBINDING') ?? 'disable', BINDINGS, bad),
    connectTimeoutMs: secondsOf(given('connect_timeout'), bad),
  };
}

type Bad = (message: string, hint: string) => Error;

/** The driver's two short forms of a socket: `/folder database` and `socket:/folder?db=database`. */
function socketUrl(text: string): string {
  const plain = /^(\/\S*) *(\S*)$/.exec(text);
  if (plain) return `postgresql:///${encodeURIComponent(plain[2] ?? '')}?host=${encodeURIComponent(plain[1] ?? '')}`;
  const socket = /^socket:(?:\/\/([^@/]*)@)?(\/[^?]*)\??(.*)$/.exec(text);
  if (!socket) return text;
  const query = new URLSearchParams(socket[3]);
  const database = query.get('db') ?? '';
  query.delete('db');
  query.delete('encoding');
  query.set('host', decodeURI(socket[2] ?? ''));
  return `postgresql://${socket[1] ? `${socket[1]}@` : ''}/${encodeURIComponent(database)}?${query}`;
}

/** `postgresql://user@/database` has no host, which the URL standard does not know together with a user. */
function parseUrl(text: string, bad: Bad): URL {
  const authority = /^[a-z]+:\/\/([^/?#]*)/.exec(text)?.[1] ?? '';
  const hosts = authority.slice(authority.lastIndexOf('@') + 1);
  if (hosts.includes(',')) throw severalHosts(bad);
  const isHostless = authority.endsWith('@');
  try {
    const url = new URL(isHostless ? text.replace(authority, `${authority}${NO_HOST}`) : text);
    if (url.hash === '') return url;
  } catch (error) {
    // Its own text or properties may hold the string.
    if (!(error instanceof TypeError)) throw error;
  }
  throw bad('is no URL', ENCODE);
}

const NO_HOST = 'no-host.invalid';

const ENCODE =
  'Write it as postgresql://user:password@host:5432/dbname, with the characters % : / ? # @ of a user name or password as %25 %3A %2F %3F %23 %40.';

/** What the URL leaves open. */
function serviceOf(name: string | null, env: Readonly<Record<string, string | undefined>>, bad: Bad): ReadonlyMap<string, string> {
  if (name === null) return new Map();
  const service = readService(name, env);
  if (!('get' in service)) throw bad(service.message, service.hint);
  for (const parameter of service.keys()) if (parameter === 'service' || !isKnown(parameter)) throw unknownParameter(parameter, `of the service ${name} `, bad);
  return service;
}

function isKnown(parameter: string): boolean {
  return KNOWN.has(parameter) || HARMLESS.has(parameter);
}

function unknownParameter(name: string, where: string, bad: Bad): Error {
  const shown = /^[a-z_]{1,30}$/i.test(name) ? name : '(not a name)';
  return bad(`has a parameter ${where}that is not known here: ${shown}`, `Known are ${[...KNOWN].sort().join(', ')}.`);
}

function readParameters(url: URL, bad: Bad): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const pair of url.search.slice(1).split('&').filter(Boolean)) {
    const at = pair.indexOf('=');
    const name = decode(at < 0 ? pair : pair.slice(0, at), bad);
    if (at < 0 || !isKnown(name)) throw unknownParameter(name, '', bad);
    // Not `+` for a blank: it stands for itself in libpq.
    parameters.set(name, decode(pair.slice(at + 1), bad));
  }
  return parameters;
}

function decode(text: string, bad: Bad): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    throw bad("has a '%' that is not followed by two hexadecimal digits", ENCODE);
  }
}

function oneHost(host: string | null, bad: Bad): string | null {
  if (host?.includes(',')) throw severalHosts(bad);
  return host;
}

function severalHosts(bad: Bad): Error {
  return bad(
    'names several hosts',
    'Name one: the primary, or an address that always leads to it. A runner that changed hosts by itself could meet two primaries.',
  );
}

function portOf(text: string, bad: Bad): number | null {
  if (text === '') return null;
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535) throw bad('has a port that is none', 'A port is one number from 1 to 65535.');
  return port;
}

function secondsOf(text: string | null, bad: Bad): number | null {
  if (text === null) return null;
  if (!/^\d{1,6}$/.test(text)) throw bad('has a connect_timeout that is none', 'It is a number of seconds.');
  return Number(text) === 0 ? null : Number(text) * 1_000;
}

function choice<T extends string>(name: string, text: string, known: readonly T[], bad: Bad): T {
  const found = known.find((each) => each === text);
  if (found === undefined) throw bad(`has a value of ${name} that is not known`, `It can be ${known.join(', ')}.`);
  return found;
}
