import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { typeFiles } from '../compiler/compile.ts';
import { schemasOf } from '../compiler/2-model/config-schemas.ts';
import type { EnvReference, ReplicationConfig } from '../index.ts';
import { byCodeUnit } from '../plan/canonical.ts';
import { failure, SarrioError } from '../plan/errors.ts';
import { compareGenerated, LOCK_FILE, readIfPresent, TYPES_FILE } from '../plan/generated-files.ts';
import { readLock } from '../plan/read-lock.ts';
import { resolveUrls } from '../plan/resolve-url.ts';
import { LOCK_FORMAT, type SchemaLock } from '../plan/schema-lock.ts';
import { writeLock } from '../plan/write-lock.ts';
import { readSchema, type SchemaReading } from '../runner/5-inspect/read-schema.ts';
import { failureText } from '../runner/postgres/error-text.ts';
import { connect } from '../runner/postgres/session.ts';
import { environmentOf } from './change-options.ts';
import { addConfigOptions, readConfig } from './config-options.ts';
import { type LockChanges, lockChanges } from './lock-changes.ts';
import type { Verb, VerbContext, VerbResult } from './verb.ts';
import { pullSchema } from './with-schema/pull-schema.ts';

/** `sarrio pull`: reads the catalogs of all databases into the schema lock, and writes the types of it. Changes nothing in a database. */
export const verb: Verb = {
  configure: (command) => {
    addConfigOptions(command)
      .option('--check', 'write nothing; exit 2 when the tables are not as they were read last')
      .option('--with-schema', 'also write SQL that makes the tables which targets lack, with types and indexes, as the sources have them');
  },
  run: async (options, context) => {
    if (options['check'] === true && options['withSchema'] === true)
      throw failure('invalid', { code: 'SAR001', message: '--check and --with-schema do not go together' });
    const dir = String(options['generated']);
    const folder = resolve(context.cwd, dir);
    const loaded = await readConfig(options, context);
    const { config } = loaded;
    const endpoints = endpointsOf(config, environmentOf(options));
    const urls = resolveUrls(endpoints, context.env);
    // Read while the servers are busy.
    const lockThen = lockBefore(folder);
    lockThen.catch(() => undefined);
    const readings = await readAll(
      [...schemasOf(config)].map(([database, schemas]) => {
        return { database, schemas, env: context.env, url: urls.get(database) ?? '', variable: endpoints[database]?.env ?? '' };
      }),
    );
    const before = await lockThen;
    const lock: SchemaLock = { format: LOCK_FORMAT, databases: Object.fromEntries([...readings].map(([name, { schema }]) => [name, schema])) };
    const files = new Map<string, string>([[LOCK_FILE, writeLock(lock)], ...typeFiles(lock)]);
    const reports = [...readings].map(([database, reading]) => reportOf(database, reading, before));
    if (options['check'] === true) return checked(reports, { dir, stale: (await compareGenerated(folder, files)).written });
    await mkdir(folder, { recursive: true });
    for (const [path, text] of files) await writeFile(join(folder, path), text);
    const schema = options['withSchema'] === true ? await pullSchema({ loaded, lock, urls, folder, dir, env: context.env }) : null;
    const next = schema?.isMissing ? '' : ' Next: `sarrio compile`.';
    const text = [...reports.flatMap(reportLines), `Wrote ${dir}/${LOCK_FILE} and ${dir}/${TYPES_FILE}.${next}`, ...(schema?.lines ?? [])].join('\n');
    return { exit: 'ok', data: { databases: reports, ...(schema ? { schema: schema.data } : {}) }, diagnostics: schema?.diagnostics ?? [], text };
  },
};

/** Without an environment those of `databases`: they say where tables are read. */
function endpointsOf({ databases, environments = {} }: ReplicationConfig, name: string | null): Readonly<Record<string, EnvReference>> {
  if (name === null) return databases;
  const environment = Object.hasOwn(environments, name) ? environments[name] : undefined;
  if (environment !== undefined) return { ...databases, ...environment.databases };
  const known = Object.keys(environments).join(', ') || 'none';
  throw failure('invalid', { code: 'SAR325', message: `the config has no environment ${name}`, hint: `It has: ${known}.` });
}

function checked(reports: readonly Report[], { dir, stale }: { readonly dir: string; readonly stale: readonly string[] }): VerbResult {
  const isSame = stale.length === 0;
  const end = isSame
    ? `${dir}/${LOCK_FILE} is as the databases are.`
    : `Not as the databases are: ${stale.map((path) => `${dir}/${path}`).join(', ')}. Run \`sarrio pull\`.`;
  return { exit: isSame ? 'ok' : 'differs', data: { databases: reports, stale }, diagnostics: [], text: [...reports.flatMap(reportLines), end].join('\n') };
}

type Source = {
  readonly env: VerbContext['env'];
  readonly database: string;
  readonly variable: string;
  readonly url: string;
  readonly schemas: readonly string[];
};

/** All databases at once, by name in order; every one that fails is reported. */
async function readAll(sources: readonly Source[]): Promise<ReadonlyMap<string, SchemaReading>> {
  const results = await Promise.allSettled(sources.map(readOne));
  const faults = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  const unexpected = faults.find((fault) => !(fault instanceof SarrioError));
  if (unexpected) throw unexpected;
  const diagnostics = faults.flatMap((fault) => (fault instanceof SarrioError ? fault.diagnostics : []));
  if (diagnostics.length > 0) throw new SarrioError({ exit: 'failed', diagnostics });
  const readings = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  return new Map(readings.sort(([left], [right]) => byCodeUnit(left, right)));
}

async function readOne({ schemas, ...source }: Source): Promise<readonly [string, SchemaReading]> {
  const session = await connect({ ...source, role: 'inspect' });
  try {
    return [source.database, await readSchema(session, schemas)];
  } catch (error) {
    const message = `cannot read the catalog: ${failureText(error)}`;
    throw failure('failed', { code: 'SAR417', where: `database ${source.database}`, message, cause: error });
  } finally {
    await session.close();
  }
}

/** A lock that cannot be read any more is simply replaced: everything then counts as new. */
async function lockBefore(folder: string): Promise<SchemaLock | null> {
  const text = await readIfPresent(join(folder, LOCK_FILE));
  try {
    return text === null ? null : readLock(text, LOCK_FILE);
  } catch (error) {
    if (error instanceof SarrioError) return null;
    throw error;
  }
}

type Report = LockChanges & { readonly database: string; readonly tables: number; readonly queries: number };

function reportOf(database: string, { schema, queries }: SchemaReading, before: SchemaLock | null): Report {
  return { database, tables: schema.tables.length, queries, ...lockChanges(before?.databases[database], schema) };
}

function reportLines({ database, tables, queries, added, changed, gone }: Report): readonly string[] {
  const isSame = added.length + changed.length + gone.length === 0;
  return [
    `${database}: ${tables} tables read with ${queries} queries${isSame ? ', no change' : ''}`,
    ...added.map((name) => `  + ${name}`),
    ...changed.map((name) => `  ~ ${name}`),
    ...gone.map((name) => `  - ${name}`),
  ];
}
