import { ident, literal, tableIdent } from '../../sql/quote.ts';
import { dangerousRaw, type Sql, sql } from '../../sql/sql.ts';
import type { LiveObject } from '../5-inspect/live-database.ts';

/**
 * Purpose: takes one object of ours away; names come from the catalog, never from a file. Never CASCADE, so that what others built
 * on an object of ours stops the step instead of vanishing. Reads: nothing. Writes: the object. Called by: diffRemovals.
 */
export function dropObject(object: LiveObject): Sql {
  const name = ident('sarrio', object.bare);
  switch (object.kind) {
    case 'trigger':
      return object.trigger ? sql`drop trigger if exists ${ident(object.bare)} on ${tableIdent(object.trigger.table)};` : sql``;
    case 'function':
      return sql`drop function if exists ${dangerousRaw(object.name)};`;
    case 'table':
      return sql`drop table if exists ${name};`;
    case 'index':
      return sql`drop index if exists ${name};`;
    case 'sequence':
      return sql`drop sequence if exists ${name};`;
    case 'schema':
      return sql`drop schema if exists sarrio;`;
    case 'other':
      return sql``;
    default:
      return object.kind satisfies never;
  }
}

/**
 * Purpose: takes a capture function away together with its triggers, where they stand on tables that this role does not own and so
 * may not drop triggers from. Refuses when anything but triggers of ours hangs on the function.
 * Reads: pg_depend. Writes: the function and its triggers. Called by: diffRemovals.
 */
export function dropFunctionWithTriggers(object: LiveObject): Sql {
  return sql`
    do $sarrio$
    begin
      if exists (
        select
        from pg_catalog.pg_depend as d
        left join pg_catalog.pg_trigger as t on d.classid = 'pg_catalog.pg_trigger'::pg_catalog.regclass and t.oid = d.objid
        where d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
          and d.refobjid = pg_catalog.to_regprocedure(${literal(object.name)})
          and (t.tgname is null or not pg_catalog.starts_with(t.tgname::text, 'sarrio_') and not pg_catalog.starts_with(t.tgname::text, 'closed_by_sarrio'))
      ) then
        raise exception 'something that is not ours depends on function %', ${literal(object.name)};
      end if;
    end
    $sarrio$;
    drop function if exists ${dangerousRaw(object.name)} cascade;
  `;
}

/**
 * Purpose: takes the function away by which indexes that a copy has set aside are built again, once it has built all of them.
 * Reads: sarrio.set_aside. Writes: these indexes, the function. Called by: diffRemovals.
 */
export function putIndexesBack(object: LiveObject): Sql {
  return sql`
    select sarrio.put_index_back(s.indexed, s.name)
    from sarrio.set_aside as s;
    ${dropObject(object)}
  `;
}

/** Purpose: makes a changed delta table anew, with its segments and indexes; what it holds is lost. Reads: nothing. Writes: the table. Called by: diffObjects. */
export function dropDelta(bare: string): Sql {
  return sql`drop table if exists ${ident('sarrio', bare)};`;
}

/** Purpose: makes a changed index anew, which \`if not exists\` would leave as it is. Reads: nothing. Writes: the index. Called by: diffObjects. */
export function dropIndex(object: LiveObject): Sql {
  return sql`drop index if exists ${ident('sarrio', object.bare)};`;
}

/**
 * Purpose: takes away every right that others hold on an object of ours, before its block grants again what the config says.
 * Reads: nothing. Writes: privileges of the object. Called by: diffObjects.
 */
export function revokeAll(object: LiveObject): Sql {
  if (object.grantees.length === 0 || object.kind === 'trigger' || object.kind === 'index' || object.kind === 'other') return sql``;
  return sql`revoke all on ${dangerousRaw(object.kind)} ${dangerousRaw(object.name)} from ${dangerousRaw(object.grantees.join(', '))} cascade;`;
}
