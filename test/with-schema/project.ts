import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { verb as apply } from '../../src/commands/apply.ts';
import { verb as compile } from '../../src/commands/compile.ts';
import { verb as plan } from '../../src/commands/plan.ts';
import { verb as pull } from '../../src/commands/pull.ts';
import { verb as run } from '../../src/commands/run.ts';
import { verb as verify } from '../../src/commands/verify.ts';
import type { SyncConfig } from '../../src/index.ts';
import type { TestDatabase } from '../support/database.ts';
import { type Outcome, runVerb } from '../support/run-verb.ts';

const VERBS = { apply, compile, plan, pull, run, verify } as const;

/** A project on disk, nothing pulled yet, and its verbs. */
export type SchemaProject = {
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
  verb(name: keyof typeof VERBS, ...args: readonly string[]): Promise<Outcome>;
};

export async function schemaProject(databases: Readonly<Record<string, TestDatabase>>, syncs: Readonly<Record<string, SyncConfig>>): Promise<SchemaProject> {
  const dir = await mkdtemp(join(tmpdir(), 'sarrio-with-schema-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const variables = Object.fromEntries(Object.keys(databases).map((name) => [name, { env: `${name.toUpperCase()}_URL` }]));
  const env = Object.fromEntries(Object.entries(databases).map(([name, { url }]) => [`${name.toUpperCase()}_URL`, url]));
  await writeFile(join(dir, 'replication.config.ts'), `export default ${JSON.stringify({ project: 'made', databases: variables, syncs })};\n`);
  return { dir, env, verb: (name, ...args) => runVerb(VERBS[name], args, { cwd: dir, env }) };
}

/** What was said, as `CODE where: message`. */
export function said({ diagnostics }: Outcome): readonly string[] {
  return diagnostics.map(({ code, where, message }) => `${code} ${where ?? ''}: ${message}`);
}

/** All that the catalog says of the users' objects, asked in another way than sarrio does, and without what depends on oids. */
export async function catalogOf(database: TestDatabase, schemas: readonly string[]): Promise<readonly string[]> {
  const rows = await database.query<{ line: string }>(
    `
    with own as (select oid, nspname from pg_namespace where nspname = any ($1))
    select line from (
      select format('relation %s.%s %s %s %s %s %s %s %s', n.nspname, c.relname, c.relkind, c.relpersistence, c.reloptions, c.relreplident,
        pg_get_expr(c.relpartbound, c.oid), case when c.relkind = 'p' then pg_get_partkeydef(c.oid) end, obj_description(c.oid, 'pg_class')) as line
      from pg_class as c join own as n on n.oid = c.relnamespace
      union all
      select format('column %s.%s %s %s %s %s %s %s %s %s %s %s %s %s %s', n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
        a.attidentity, a.attgenerated, pg_get_expr(d.adbin, d.adrelid), a.attcollation::regcollation, a.attstorage, a.attcompression,
        nullif(to_jsonb(a)->>'attstattarget', '-1'), a.attoptions, a.attislocal, col_description(c.oid, a.attnum))
      from pg_attribute as a join pg_class as c on c.oid = a.attrelid join own as n on n.oid = c.relnamespace
      left join pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum
      where a.attnum > 0 and not a.attisdropped and c.relkind <> 'i' and c.relkind <> 'I'
      union all
      select format('constraint %s.%s %s %s %s %s %s %s', n.nspname, k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid), k.convalidated, k.conislocal,
        k.coninhcount, obj_description(k.oid, 'pg_constraint'))
      from pg_constraint as k join own as n on n.oid = k.connamespace
      union all
      select format('index %s %s %s %s %s', pg_get_indexdef(i.indexrelid), i.indisreplident, i.indisclustered, i.indisvalid, obj_description(i.indexrelid, 'pg_class'))
      from pg_index as i join pg_class as c on c.oid = i.indrelid join own as n on n.oid = c.relnamespace
      union all
      select format('inherits %s %s', i.inhrelid::regclass, i.inhparent::regclass)
      from pg_inherits as i join pg_class as c on c.oid = i.inhrelid join own as n on n.oid = c.relnamespace
      union all
      select format('sequence %s %s %s %s %s %s %s %s', q.schemaname, q.sequencename, q.data_type, q.start_value, q.increment_by, q.min_value, q.max_value, q.cycle)
        || coalesce((select format(' of %s.%s', d.refobjid::regclass, a.attname) from pg_depend as d join pg_attribute as a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
          where d.objid = format('%I.%I', q.schemaname, q.sequencename)::regclass and d.deptype in ('a', 'i')), '')
      from pg_sequences as q join own as n on n.nspname = q.schemaname
      union all
      select format('type %s.%s %s %s %s %s', n.nspname, t.typname, t.typtype, t.typnotnull, t.typdefault, obj_description(t.oid, 'pg_type'))
        || coalesce((select string_agg(e.enumlabel, ',' order by e.enumsortorder) from pg_enum as e where e.enumtypid = t.oid), '')
      from pg_type as t join own as n on n.oid = t.typnamespace where t.typcategory <> 'A'
      union all
      select format('collation %s.%s %s %s %s', n.nspname, l.collname, l.collprovider, l.collisdeterministic, obj_description(l.oid, 'pg_collation')) from pg_collation as l join own as n on n.oid = l.collnamespace
      union all
      select format('%s %s', pg_get_statisticsobjdef(s.oid), obj_description(s.oid, 'pg_statistic_ext')) from pg_statistic_ext as s join own as n on n.oid = s.stxnamespace
    ) as all_of_it order by line collate "C"`,
    [schemas],
  );
  return rows.map(({ line }) => line);
}
