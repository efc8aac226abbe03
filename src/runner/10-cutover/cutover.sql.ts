import { literal, type QualifiedName, tableIdent } from '../../sql/quote.ts';
import { join, sql } from '../../sql/sql.ts';

/**
 * Purpose: how far a cut-over is, and closing and opening tables by the functions that apply installed.
 * Reads, writes: sarrio.cutover, sarrio.closed, sarrio.paused; triggers on users' tables by sarrio.close_table and sarrio.open_table.
 * Called by: `record.ts`, `close-tables.ts`.
 */
export const readRecord = `
  select cutover::text as cutover, target, step, started_by, started_at::text as started_at
  from sarrio.cutover
  where sync = $1
`;

export const insertRecord = `
  insert into sarrio.cutover (sync, target, step, started_by) values ($1, $2, 'begun', $3)
  on conflict (sync) do nothing
`;

export const writeStep = 'update sarrio.cutover set step = $3, step_at = clock_timestamp() where sync = $1 and cutover = $2::uuid';

export const deleteRecord = 'delete from sarrio.cutover where sync = $1 and cutover = $2::uuid';

/** In a database that takes over: what an earlier cut-over away from it has left. */
export const forgetRecords = 'delete from sarrio.cutover where sync = $1';

export const BEGIN = 'begin';
export const COMMIT = 'commit';
export const ROLLBACK = 'rollback';

/** All of them at once, with their partitions and children; others wait behind us for `timeoutMs` at most. */
export function lockAll(tables: readonly QualifiedName[], mode: 'share row exclusive' | 'access exclusive', timeoutMs: number): string {
  const names = join(tables.map(tableIdent), ', ');
  return sql`
    set local statement_timeout = ${literal(`${timeoutMs}ms`)};
    lock table ${names} in ${mode === 'access exclusive' ? sql`access exclusive` : sql`share row exclusive`} mode;
    set local statement_timeout = 0;
  `.text;
}

/** $1: JSON array of {"schema", "name"}; $2: sync; $3: cut-over. */
export const closeTables = `
  select sarrio.close_table(c.oid::regclass, $2, $3::uuid)
  from json_to_recordset($1::json) as w(schema text, name text)
  join pg_namespace as n on n.nspname = w.schema
  join pg_class as c on c.relnamespace = n.oid and c.relname = w.name
`;

/** Those that one cut-over has closed. */
export const openClosedBy = 'select sarrio.open_table(k.relation) from sarrio.closed as k where k.cutover = $1::uuid';

/** $1 as above: the tables with their partitions and children, whoever has closed them. */
export const openTables = `
  with recursive members as (
    select c.oid
    from json_to_recordset($1::json) as w(schema text, name text)
    join pg_namespace as n on n.nspname = w.schema
    join pg_class as c on c.relnamespace = n.oid and c.relname = w.name
    union
    select i.inhrelid from pg_inherits as i join members as m on i.inhparent = m.oid
  )
  select sarrio.open_table(k.relation) from sarrio.closed as k join members as m on m.oid = k.relation
`;

/** $1 as above: those that take writes, because no closing trigger stands there or it is disabled. */
export const takingWrites = `
  select w.schema, w.name
  from json_to_recordset($1::json) as w(schema text, name text)
  left join (pg_namespace as n join pg_class as c on c.relnamespace = n.oid) on n.nspname = w.schema and c.relname = w.name
  where not exists (select from pg_trigger as t where t.tgrelid = c.oid and t.tgname = 'closed_by_sarrio' and t.tgenabled in ('O', 'A'))
  order by w.schema, w.name
`;

export const closedBy = 'select count(*)::text as tables from sarrio.closed where cutover = $1::uuid';

/** $1 as above: tables, partitions and children that this role does not own, whose triggers it could not take away again. */
export const notOwned = `
  with recursive members as (
    select c.oid
    from json_to_recordset($1::json) as w(schema text, name text)
    join pg_namespace as n on n.nspname = w.schema
    join pg_class as c on c.relnamespace = n.oid and c.relname = w.name
    union
    select i.inhrelid from pg_inherits as i join members as m on i.inhparent = m.oid
  )
  select c.oid::regclass::text as name, quote_ident(pg_get_userbyid(c.relowner)) as owner
  from members as m
  join pg_class as c on c.oid = m.oid
  where not pg_has_role(c.relowner, 'USAGE')
  order by 1
`;

export const mayRecord = `
  select current_user as role, quote_ident(pg_get_userbyid(c.relowner)) as owner
  from pg_class as c
  where c.oid = 'sarrio.cutover'::regclass and not pg_has_role(c.relowner, 'USAGE')
`;

/** Only what the cut-over itself has paused. */
export const unpause = "delete from sarrio.paused where sync = $1 and paused_by = 'sarrio cutover'";
