import { readFileSync } from 'node:fs';
import { failure, SarrioError } from './errors.ts';
import { rememberSecret } from './secrets.ts';

const IS_URL = /^(postgres(ql)?:\/\/|socket:|\/)/;
const WRITTEN = 'Write it as a URL: postgresql://user:password@host:5432/dbname';

type Reference = { readonly env: string };
type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The connection string of one database, from the variable, or from the file that `<variable>_FILE` names, as secrets are mounted into
 * containers. Or a fault that names the variable; the string itself stands in no message.
 */
export function resolveUrl(database: string, url: Reference, env: Environment): string {
  const [value, file] = [env[url.env]?.trim(), env[`${url.env}_FILE`]?.trim()];
  if (value && file) throw fileFault({ database, variable: `${url.env}_FILE` }, `is set, and so is ${url.env}`, 'Unset one of them.');
  if (file) return readUrl(file, { database, variable: `${url.env}_FILE` });
  if (value) return assertUrl(value, { database, variable: url.env });
  throw failure('invalid', {
    code: 'SAR400',
    where: `database ${database}`,
    message: `the environment variable ${url.env} is ${env[url.env] === undefined ? 'not set' : 'empty'}`,
    hint: `Set it to the connection string of database ${database}, for example ${url.env}=postgresql://user@host:5432/dbname, or ${url.env}_FILE to a file that holds it`,
  });
}

/** The connection strings of several databases by name; all unset variables are reported together. */
export function resolveUrls(databases: Readonly<Record<string, Reference>>, env: Environment): ReadonlyMap<string, string> {
  const urls = new Map<string, string>();
  const faults: SarrioError[] = [];
  for (const [name, url] of Object.entries(databases)) {
    try {
      urls.set(name, resolveUrl(name, url, env));
    } catch (error) {
      if (!(error instanceof SarrioError)) throw error;
      faults.push(error);
    }
  }
  if (faults.length === 0) return urls;
  throw new SarrioError({ exit: 'invalid', diagnostics: faults.flatMap((fault) => fault.diagnostics) });
}

type Place = { readonly database: string; readonly variable: string };

function readUrl(file: string, place: Place): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    const { code } = error as { code?: unknown };
    throw fileFault(place, `names a file that cannot be read: ${file} (${String(code)})`, 'Mount it, and let this account read it.');
  }
  if (text === '') throw fileFault(place, `names an empty file: ${file}`, 'It has to hold the connection string and nothing else.');
  if (!IS_URL.test(text)) throw fileFault(place, `names a file that holds no connection string: ${file}`, WRITTEN);
  return rememberSecret(text);
}

function fileFault({ database, variable }: Place, message: string, hint: string): SarrioError {
  return failure('invalid', { code: 'SAR436', where: `database ${database}`, message: `the environment variable ${variable} ${message}`, hint });
}

/** What is no URL would be taken for the name of a database on a host that nobody meant. */
function assertUrl(value: string, place: Place): string {
  if (IS_URL.test(value)) return value;
  throw failure('invalid', {
    code: 'SAR409',
    where: `database ${place.database}`,
    message: `the environment variable ${place.variable} holds no connection string`,
    hint: WRITTEN,
  });
}
