import type { TestDatabase } from './database.ts';

/** Everything of ours in a database, with what its catalog rows say; two equal texts mean the same objects, made by the same statements. */
export async function ourObjects(database: TestDatabase, options: { versions?: boolean } = {}): Promise<readonly string[]> {
  const version = options.versions ? 'xmin::text' : "''";
  const rows = await database.query<{ line: string }>(`
    select line from (
      select 'relation ' || relkind::text || ' ' || relname || ' ' || ${version} as line from pg_class
        where relnamespace = (select oid from pg_namespace where nspname = 'sarrio')
      union all
      select 'function ' || proname || ' ' || md5(prosrc) || ' ' || ${version} from pg_proc
        where pronamespace = (select oid from pg_namespace where nspname = 'sarrio')
      union all
      select 'trigger ' || tgname || ' ' || tgrelid::regclass::text || ' ' || tgenabled::text || ' ' || tgtype::text || ' ' || ${version} from pg_trigger
        where tgname like 'sarrio%'
      union all
      select 'schema ' || ${version} from pg_namespace where nspname = 'sarrio'
    ) as objects order by line`);
  return rows.map(({ line }) => line);
}

/** The rows of the inventory without their times. */
export async function inventory(database: TestDatabase): Promise<readonly unknown[]> {
  return database.query('select kind, name, project, hash, fingerprint from sarrio.installed order by kind, name');
}

/** Every object of the database that is not the system's, with its rights: what a removal must leave as it was. (pg_class.relhastriggers is a hint that VACUUM resets.) */
export async function wholeCatalog(database: TestDatabase): Promise<readonly unknown[]> {
  return database.query(`
    select 'class' as kind, n.nspname || '.' || c.relname as name, c.relkind::text as detail, c.relacl::text as acl,
      (select count(*) from pg_trigger as t where t.tgrelid = c.oid)::text as triggers
      from pg_class as c join pg_namespace as n on n.oid = c.relnamespace where n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema'
    union all select 'proc', n.nspname || '.' || p.proname, p.prosrc, p.proacl::text, null
      from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace where n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema'
    union all select 'namespace', nspname, null, nspacl::text, null from pg_namespace where nspname not like 'pg\\_%'
    union all select 'type', t.typname, t.typtype::text, null, null from pg_type as t join pg_namespace as n on n.oid = t.typnamespace
      where n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema'
    union all select 'description', description, null, null, null from pg_description where objoid >= 16384
    union all select 'trigger', tgname, tgrelid::regclass::text, null, null from pg_trigger
    order by 1, 2, 3`);
}
