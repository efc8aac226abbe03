import { literal, quoteIdent } from '../../sql/quote.ts';
import { sql } from '../../sql/sql.ts';

/**
 * Purpose: what a migration does besides its own statements, and what it finds in the catalog before and after them.
 * Reads: pg_catalog, sarrio.migration, sarrio.watermark, sarrio.initial_copy. Writes: sarrio.migration, sarrio.watermark,
 * sarrio.initial_copy, key columns of delta tables, our triggers. Called by: `migrate.ts` and what it is made of.
 *
 * `readCatalog`: every table of some schemas, by oid. $1: schemas. `files`: rewritten when it changes.
 */
export const readCatalog = `
  with tables as (
    select c.oid, n.nspname, c.relname, c.relkind
    from pg_class as c
    join pg_namespace as n on n.oid = c.relnamespace
    where n.nspname = any ($1::text[]) and c.relkind in ('r', 'p') and c.relpersistence <> 't'
  )
  select t.oid::text as oid, t.nspname as schema, t.relname as name,
    (select json_agg(json_build_array(a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attmissingval::text) order by a.attnum)
      from pg_attribute as a where a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped)::text as columns,
    (select json_agg(i.indkey::text order by i.indkey::text) from pg_index as i
      where i.indrelid = t.oid and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null)::text as keys,
    (with recursive below as (
        select t.oid, t.relkind
        union all
        select k.oid, k.relkind from below as b join pg_inherits as i on i.inhparent = b.oid join pg_class as k on k.oid = i.inhrelid
      )
      select json_build_array(
        json_agg(b.oid order by b.oid),
        json_agg(case when b.relkind = 'r' then pg_relation_filenode(b.oid) end order by b.oid))
      from below as b)::text as below
  from tables as t
`;

export const whoAmI = 'select quote_ident(current_user) as role';

/** Relations of that name ($1, as the server says it in an error: without a schema) that are not this role's. */
export const ownerOf = `
  select quote_ident(n.nspname) || '.' || quote_ident(c.relname) as relation, quote_ident(pg_get_userbyid(c.relowner)) as owner
  from pg_class as c
  join pg_namespace as n on n.oid = c.relnamespace
  where c.relname = $1 and n.nspname !~ '^pg_' and not pg_has_role(c.relowner, 'USAGE')
  order by 1
`;

export const begin = 'begin';
export const commit = 'commit';
export const rollback = 'rollback';

/** `lockTimeoutMs`: nobody queues behind us for longer. The user's statements see the names that his own sessions would. */
export function beginMigration(lockTimeoutMs: number): string {
  return sql`begin; set local lock_timeout = ${literal(`${lockTimeoutMs}ms`)};`.text;
}

export const asUser = 'set local search_path to default';
export const asOurselves = "set local search_path = ''";
export const beforeStatements = 'savepoint sarrio_migration';
export const undoStatements = 'rollback to savepoint sarrio_migration';

/** Keeps writers out, not readers: rounds go on and bring what is pending. */
export function keepWritersOut(tables: readonly string[]): string {
  return `lock table ${tables.join(', ')} in exclusive mode`;
}

/** A trigger of ours that stands in the way of a column's new type; put back by the capture's own statements. $1: name, $2: table. */
export const dropOwnTrigger = `
  select format('drop trigger %I on %s', t.tgname, t.tgrelid::regclass) as text
  from pg_trigger as t
  join pg_proc as p on p.oid = t.tgfoid
  where t.tgname = $1 and t.tgrelid = to_regclass($2) and not t.tgisinternal and p.pronamespace = 'sarrio'::regnamespace
`;

/** A key column that got another name or type: the captured keys keep their values. */
export function followKey(delta: string, column: { readonly from: string; readonly to: string; readonly type: string | null }): string {
  const to = quoteIdent(column.to);
  const renames = column.from === column.to ? '' : `alter table ${delta} rename column ${quoteIdent(column.from)} to ${to};`;
  return column.type === null ? renames : `${renames} alter table ${delta} alter column ${to} type ${column.type} using ${to}::text::${column.type};`;
}

/** $1: kind, $2: name, $3: as the catalog has it now. */
export const recordFingerprint = 'update sarrio.installed set fingerprint = $3 where kind = $1 and name = $2';

export const hasRecords = "select to_regclass('sarrio.migration') is not null as exists";

export const readRecords = `
  select migration, file, direction, tables::text as tables, begun_by, begun_at::text as begun_at, done_at is not null as is_done, ended_at is not null as is_ended
  from sarrio.migration
  where project = $1
  order by begun_at
`;

export const writeRecord = `
  insert into sarrio.migration (migration, project, file, statements, direction, tables, begun_by, plan, touched)
  values ($1, $2, $3, $4, $5, $6::text[], $7, $8, $9::text[])
  on conflict (migration) do nothing
`;

export const markDone = 'update sarrio.migration set done_at = clock_timestamp() where migration = $1';
export const markUndone = 'update sarrio.migration set done_at = null where migration = $1';
export const markEnded = 'update sarrio.migration set ended_at = clock_timestamp() where migration = $1';
export const forgetRecord = 'delete from sarrio.migration where migration = $1';

/** In force once it is committed: every round locks these rows first. $1: relations. */
export const restTables = 'update sarrio.watermark set resting = $1::text[] where resting is distinct from $1::text[]';

/** A table under another name: the rows that it holds are a copy's all the same. $1: before, $2: after. */
export const renameCopy = 'update sarrio.initial_copy set relation = $2 where relation = $1';

export const readPlace = `
  select coalesce(case when c.is_joined then w.position else c.position end, '') as position
  from sarrio.watermark as w
  left join sarrio.initial_copy as c on c.sync = w.sync and c.source = w.source and c.relation = $3
  where w.sync = $1 and w.source = $2
`;

/** The rows of a table may differ between the databases by what the statements computed in each of them. $1: sync, $2: source, $3: reason. */
export const markUnverified = `
  update sarrio.watermark set unverified_since = clock_timestamp(), unverified_reason = concat_ws('; ', unverified_reason, $3::text)
  where sync = $1 and source = $2
`;
