import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { LoadedConfig } from '../../compiler/1-load/load-config.ts';
import { locate } from '../../compiler/1-load/fault.ts';
import { schemaWishes, type SchemaWishes } from '../../compiler/2-model/schema-wishes.ts';
import { byCodeUnit } from '../../plan/canonical.ts';
import type { Diagnostic } from '../../plan/diagnostic.ts';
import { failure, SarrioError } from '../../plan/errors.ts';
import { schemaFilePath, writeSchemaFile } from '../../plan/schema-file.ts';
import type { SchemaLock } from '../../plan/schema-lock.ts';
import type { SchemaWish } from '../../plan/schema-wish.ts';
import { planSchema, type SchemaPlan } from '../../runner/12-schema/plan-schema.ts';
import { BEGIN_READING } from '../../runner/5-inspect/schema.sql.ts';
import { failureText } from '../../runner/postgres/error-text.ts';
import { connect, type Session } from '../../runner/postgres/session.ts';
import type { VerbContext } from '../verb.ts';
import { removeSchemaFiles } from './schema-files.ts';
import { counted } from './show-schema.ts';

type Pulling = {
  readonly loaded: LoadedConfig;
  readonly lock: SchemaLock;
  readonly urls: ReadonlyMap<string, string>;
  readonly folder: string;
  readonly dir: string;
  readonly env: VerbContext['env'];
};

/** What `pull --with-schema` found beside the lock. */
export type PulledSchema = {
  readonly lines: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
  readonly data: unknown;
  readonly isMissing: boolean;
};

/** Writes a file for each database that lacks tables of its syncs. Reads catalogs only. Nothing is written when anything cannot be made. */
export async function pullSchema(pulling: Pulling): Promise<PulledSchema> {
  const { loaded, lock, folder, dir } = pulling;
  const found = schemaWishes(loaded.config, lock);
  const plans = await withReaders(pulling, found.wishes, (sessions) => plansOf(sessions, found.wishes));
  const toMake = [...plans].filter(([, { blocks }]) => blocks.length > 0);
  const diagnostics = [...nameFaults(found, pulling, new Set(toMake.map(([name]) => name))), ...[...plans].flatMap(([name, plan]) => saidOf(name, plan))];
  const isInvalid = diagnostics.some(({ severity, code }) => severity === 'error' && !code.startsWith('SAR44'));
  if (diagnostics.some(({ severity }) => severity === 'error')) throw new SarrioError({ exit: isInvalid ? 'invalid' : 'refused', diagnostics });
  const project = loaded.config.project ?? 'sarrio';
  const files = toMake.map(([database, { objects, locks, blocks, notes }]) => {
    const env = loaded.config.databases[database]?.env ?? '';
    return { path: schemaFilePath(database), text: writeSchemaFile({ project, database, env, objects, locks, blocks, notes }) };
  });
  for (const { path, text } of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  await removeSchemaFiles(folder, new Set(toMake.map(([name]) => name)));
  const lines = toMake.map(([name, { objects }]) => `${name} lacks ${counted(objects)}: wrote ${dir}/${schemaFilePath(name)}`);
  return {
    diagnostics,
    isMissing: toMake.length > 0,
    data: toMake.map(([database, { objects }]) => ({ database, file: schemaFilePath(database), objects })),
    lines:
      lines.length > 0 ? [...lines, 'Next: review it, `sarrio apply --with-schema`, and `sarrio pull` again.'] : ['No database lacks a table of its syncs.'],
  };
}

async function plansOf(sessions: ReadonlyMap<string, Session>, wishes: readonly SchemaWish[]): Promise<ReadonlyMap<string, SchemaPlan>> {
  const plans = new Map<string, SchemaPlan>();
  for (const target of [...new Set(wishes.map((wish) => wish.target))].sort(byCodeUnit)) {
    const session = sessions.get(target);
    if (session) plans.set(target, await planSchema({ target: session, sources: sessions, wishes: wishes.filter((wish) => wish.target === target) }));
  }
  return plans;
}

async function withReaders<T>(
  { loaded, urls, env }: Pulling,
  wishes: readonly SchemaWish[],
  work: (sessions: ReadonlyMap<string, Session>) => Promise<T>,
): Promise<T> {
  const names = [...new Set(wishes.flatMap(({ source, target }) => [source, target]))].sort(byCodeUnit);
  const sessions = new Map<string, Session>();
  try {
    for (const database of names) {
      const variable = loaded.config.databases[database]?.env ?? '';
      const session = await connect({ database, variable, url: urls.get(database) ?? '', role: 'inspect', env });
      sessions.set(database, session);
      await session.query(BEGIN_READING);
    }
    return await work(sessions);
  } catch (error) {
    if (error instanceof SarrioError) throw error;
    throw failure('failed', { code: 'SAR417', message: `cannot read the catalogs for --with-schema: ${failureText(error)}`, cause: error });
  } finally {
    await Promise.all([...sessions.values()].map((session) => session.close()));
  }
}

/** A source that is a target itself may get these tables first. */
function nameFaults({ faults }: SchemaWishes, { loaded }: Pulling, toMake: ReadonlySet<string>): readonly Diagnostic[] {
  const isLater = (name: unknown): boolean => {
    const sync = loaded.config.syncs[String(name)];
    return sync !== undefined && sync.mode !== 'multi-master' && toMake.has(sync.source);
  };
  const [later, now] = [faults.filter(({ path }) => isLater(path[1])), faults.filter(({ path }) => !isLater(path[1]))];
  const syncs = [...new Set(later.map(({ path }) => String(path[1])))];
  const waiting = syncs.map((name): Diagnostic => {
    const message = `the source of sync ${name} lacks tables itself; those of its targets come after them`;
    return {
      code: 'SAR448',
      severity: 'warning',
      message,
      hint: 'After `sarrio apply --with-schema`, run `sarrio pull --with-schema` once more.',
      span: null,
      where: null,
    };
  });
  return [
    ...locate(
      now.filter(({ severity }) => severity === 'error'),
      loaded.spanOf,
    ),
    ...waiting,
  ];
}

function saidOf(database: string, { findings }: SchemaPlan): readonly Diagnostic[] {
  return findings.map((finding) => ({ ...finding, span: null, where: `database ${database}` }));
}
