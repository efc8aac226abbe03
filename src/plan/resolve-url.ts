import { failure, SarrioError } from './errors.ts';

type Reference = { readonly env: string };
type Environment = Readonly<Record<string, string | undefined>>;

/** The connection string of one database, or a fault that names the variable. The string itself stands in no message. */
export function resolveUrl(database: string, url: Reference, env: Environment): string {
  const value = env[url.env]?.trim();
  if (value) return assertUrl(value, { database, variable: url.env });
  throw failure('invalid', {
    code: 'SAR400',
    where: `database ${database}`,
    message: `the environment variable ${url.env} is ${env[url.env] === undefined ? 'not set' : 'empty'}`,
    hint: `Set it to the connection string of database ${database}, for example ${url.env}=postgresql://user@host:5432/dbname`,
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

/** What is no URL would be taken for the name of a database on a host that nobody meant. */
function assertUrl(value: string, place: { database: string; variable: string }): string {
  if (/^(postgres(ql)?:\/\/|socket:|\/)/.test(value)) return value;
  throw failure('invalid', {
    code: 'SAR409',
    where: `database ${place.database}`,
    message: `the environment variable ${place.variable} holds no connection string`,
    hint: 'Write it as a URL: postgresql://user:password@host:5432/dbname',
  });
}
