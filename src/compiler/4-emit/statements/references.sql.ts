import { literal, type QualifiedName, tableIdent } from '../../../sql/quote.ts';
import { join, type Sql, sql } from '../../../sql/sql.ts';
import { block } from './swap.sql.ts';

/**
 * Purpose: fails where a foreign key of some tables, or one that points to them, does not hold. Nothing else looks: rounds and copies
 * write with `session_replication_role = replica`, so that neither the order of tables nor a circle of foreign keys matters.
 * Reads: the catalog, the tables, those that they point to, and those that point to them. Writes: nothing. Called by: `emitFullCopy`.
 *
 * `rows` is where the table's rows stand: the table itself, or the new one that is about to take its name.
 */
export function checkReferences(tables: readonly { readonly table: QualifiedName; readonly rows: Sql }[]): Sql {
  const given = tables.map(({ table, rows }) => sql`(${literal(tableIdent(table).text)}::regclass, ${literal(rows.text)}::regclass)`);
  return block(sql`
    declare
      held record;
      is_same text;
      is_given text;
      is_broken boolean;
    begin
      for held in
        with given (declared, rows) as (
          values
            ${join(given)}
        )
        select c.conname as name, c.conkey, c.confkey, c.conpfeqop, c.conrelid, c.confrelid,
          coalesce(f.rows, c.conrelid)::regclass as child, coalesce(t.rows, c.confrelid)::regclass as parent
        from pg_constraint as c
        left join given as f on f.declared = c.conrelid
        left join given as t on t.declared = c.confrelid
        where c.contype = 'f' and c.conparentid = 0 and (f.declared is not null or t.declared is not null)
        order by c.conrelid::regclass::text, c.conname
      loop
        select string_agg(format('p.%I operator(%I.%s) c.%I', p.attname, n.nspname, o.oprname, c.attname), ' and '),
          string_agg(format('c.%I is not null', c.attname), ' and ')
        into is_same, is_given
        from unnest(held.conkey, held.confkey, held.conpfeqop) as k (child, parent, equality)
        join pg_attribute as c on c.attrelid = held.conrelid and c.attnum = k.child
        join pg_attribute as p on p.attrelid = held.confrelid and p.attnum = k.parent
        join pg_operator as o on o.oid = k.equality
        join pg_namespace as n on n.oid = o.oprnamespace;
        execute format(
          'select exists (select from %s%s as c where %s and not exists (select from %s%s as p where %s))',
          (select case relkind when 'p' then '' else 'only ' end from pg_class where oid = held.child), held.child, is_given,
          (select case relkind when 'p' then '' else 'only ' end from pg_class where oid = held.parent), held.parent, is_same
        ) into is_broken;
        if is_broken then
          raise exception using
            errcode = 'foreign_key_violation',
            message = format('foreign key %I of %s does not hold: a row points to one that is not in %s',
              held.name, held.conrelid::regclass, held.confrelid::regclass);
        end if;
      end loop;
    end
  `);
}
