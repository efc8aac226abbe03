import { dollarQuote, ident, literal, type QualifiedName, tableIdent } from '../../../sql/quote.ts';
import { type Sql, sql } from '../../../sql/sql.ts';
import { objectNames } from '../../2-model/object-names.ts';
import { carryOver } from './swap-carry.sql.ts';

/**
 * Purpose: a new table beside a target table, made like it, that takes its name once it is loaded.
 * Reads: the catalog, the table's sequences. Writes: the new table; in the end it drops the old one. Called by: `full-copy.sql.ts`.
 *
 * The blocks take what there is from the catalog when they run, so that an index which was added since compiling is not lost. What they
 * do not know how to carry over is refused before anything is loaded, and the DROP without CASCADE refuses what came meanwhile.
 */
export function newTable(table: QualifiedName): Sql {
  return ident(table.schema, objectNames(table).delta.replace(/^delta_/, 'swap__'));
}

/** A block of PL/pgSQL, in a quote that its text does not hold. */
export function block(body: Sql): Sql {
  const quote = dollarQuote(body.text);
  return sql`
    do ${quote}
    ${body}
    ${quote}
  `;
}

/** Refuses, with every reason at once, what a new table could not stand in for; then creates the new table with columns, defaults and checks. */
export function shapeNew(table: QualifiedName): Sql {
  return block(sql`
    declare
      old_table constant regclass := ${literal(tableIdent(table).text)}::regclass;
      reasons text;
    begin
      select string_agg(r.reason, '; ' order by r.reason) into reasons
      from (
        select 'it is no ordinary table' as reason from pg_class where oid = old_table and (relkind <> 'r' or reloftype <> 0 or relpersistence <> 'p')
        union
        select 'it inherits from another table, or another from it' from pg_inherits where old_table in (inhrelid, inhparent)
        union
        select format('role %I, whose rights this session lacks, owns it', pg_get_userbyid(relowner))
        from pg_class
        where oid = old_table and not pg_has_role(relowner, 'USAGE')
        union
        select 'it belongs to an extension' from pg_depend where classid = 'pg_class'::regclass and objid = old_table and deptype = 'e'
        union
        select 'it has a security label' from pg_seclabel where classoid = 'pg_class'::regclass and objoid = old_table
        union
        select format('it is captured by trigger %I', t.tgname)
        from pg_trigger as t
        join pg_proc as f on f.oid = t.tgfoid
        where t.tgrelid = old_table and f.pronamespace = (select oid from pg_namespace where nspname = 'sarrio')
        union
        select format('index %s is not valid', indexrelid::regclass) from pg_index where indrelid = old_table and not indisvalid
        union
        select pg_describe_object(d.classid, d.objid, 0) || ' depends on it'
        from pg_depend as d
        where ((d.refclassid = 'pg_class'::regclass and d.refobjid = old_table)
            or (d.refclassid = 'pg_type'::regclass and d.refobjid in (
              select t.oid
              from pg_class as c
              join pg_type as r on r.oid = c.reltype
              join pg_type as t on t.oid in (r.oid, r.typarray)
              where c.oid = old_table
            )))
          and d.deptype <> 'i'
          and not case d.classid
            when 'pg_attrdef'::regclass then exists (select from pg_attrdef where oid = d.objid and adrelid = old_table)
            when 'pg_constraint'::regclass then exists (select from pg_constraint where oid = d.objid and conrelid = old_table)
            when 'pg_trigger'::regclass then exists (select from pg_trigger where oid = d.objid and tgrelid = old_table)
            when 'pg_policy'::regclass then exists (select from pg_policy where oid = d.objid and polrelid = old_table)
            when 'pg_statistic_ext'::regclass then exists (select from pg_statistic_ext where oid = d.objid and stxrelid = old_table)
            when 'pg_class'::regclass then exists (select from pg_index where indexrelid = d.objid and indrelid = old_table)
              or exists (select from pg_class where oid = d.objid and relkind = 'S' and d.deptype = 'a')
            else false
          end
      ) as r;
      if reasons is not null then
        raise exception using errcode = 'feature_not_supported', message = format('%s cannot be swapped for a new table: %s', old_table, reasons),
          hint = 'Remove what depends on it, or use another method.';
      end if;
      execute (
        select format('create table %s (like %s including all excluding indexes excluding statistics) using %I', ${literal(newTable(table).text)}, old_table, a.amname)
          || coalesce(' tablespace ' || quote_ident(s.spcname), '')
        from pg_class as c
        join pg_am as a on a.oid = c.relam
        left join pg_tablespace as s on s.oid = c.reltablespace
        where c.oid = old_table
      );
      -- Before any function of an index or a rule can be called: they run with the rights of the owner.
      execute (select format('alter table %s owner to %I', ${literal(newTable(table).text)}, pg_get_userbyid(relowner)) from pg_class where oid = old_table);
    end
  `);
}

/** Once the rows are there: settings, indexes and constraints that are indexes, row security, privileges, comments, statistics. */
export function finishNew(table: QualifiedName): Sql {
  return sql`
    ${block(sql`
      declare
        old_table constant regclass := ${literal(tableIdent(table).text)}::regclass;
        new_table constant regclass := ${literal(newTable(table).text)}::regclass;
        had record;
        command text;
      begin
        ${carryOver}
      end
    `)};
    analyze ${newTable(table)}
  `;
}

/** In the end, with the old table locked: sequences go over, the old table goes, the new one and its parts take the names, and what names the table comes back. */
export function swapNew(table: QualifiedName): Sql {
  return sql`
    ${block(sql`
      declare
        old_table constant regclass := ${literal(tableIdent(table).text)}::regclass;
        new_table constant regclass := ${literal(newTable(table).text)}::regclass;
        commands text[];
        command text;
        had record;
        place record;
      begin
        -- What will be said once the old table is gone, in this order.
        select array_agg(c.command order by c.turn, c.command) into commands
        from (
          select 1 as turn, format('alter table %s rename to %I', new_table, ${literal(table.name)}) as command
          union all
          select 2, format('alter table %s rename constraint %I to %I', old_table, 'swap__' || oid, conname)
          from pg_constraint
          where conrelid = old_table and contype in ('p', 'u', 'x')
          union all
          select 2, format('alter index %I.%I rename to %I', n.nspname, 'swap__' || c.oid, c.relname)
          from pg_index as i
          join pg_class as c on c.oid = i.indexrelid
          join pg_namespace as n on n.oid = c.relnamespace
          where i.indrelid = old_table and not exists (select from pg_constraint where conindid = i.indexrelid and conrelid = old_table)
          union all
          select 3, format('alter sequence %s rename to %I', b.seq, a.relname)
          from (
            select d.refobjsubid, c.relname, t.attname
            from pg_depend as d
            join pg_class as c on c.oid = d.objid and c.relkind = 'S'
            join pg_attribute as t on t.attrelid = old_table and t.attnum = d.refobjsubid
            where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid = old_table and d.deptype = 'i'
          ) as a
          cross join lateral (select pg_get_serial_sequence(new_table::text, a.attname) as seq) as b
          union all
          select 4, pg_get_triggerdef(oid) from pg_trigger where tgrelid = old_table and not tgisinternal
          union all
          select 5, format('alter table %s %s trigger %I', old_table, case tgenabled when 'D' then 'disable' when 'A' then 'enable always' else 'enable replica' end, tgname)
          from pg_trigger
          where tgrelid = old_table and not tgisinternal and tgenabled <> 'O'
          union all
          select 5, format('comment on trigger %I on %s is %L', tgname, old_table, obj_description(oid, 'pg_trigger'))
          from pg_trigger
          where tgrelid = old_table and not tgisinternal and obj_description(oid, 'pg_trigger') is not null
          union all
          select 4, format('alter table %s add constraint %I %s not valid', old_table, conname, regexp_replace(pg_get_constraintdef(oid), ' NOT VALID$', ''))
          from pg_constraint
          where conrelid = old_table and contype = 'f'
          union all
          select 5, format('comment on constraint %I on %s is %L', conname, old_table, obj_description(oid, 'pg_constraint'))
          from pg_constraint
          where conrelid = old_table and contype = 'f' and obj_description(oid, 'pg_constraint') is not null
          union all
          select 4, pg_get_statisticsobjdef(oid) from pg_statistic_ext where stxrelid = old_table
          union all
          select 5, format('alter statistics %I.%I set statistics %s', n.nspname, x.stxname, x.stxstattarget)
          from pg_statistic_ext as x
          join pg_namespace as n on n.oid = x.stxnamespace
          where x.stxrelid = old_table and x.stxstattarget >= 0
          union all
          select 5, format('comment on statistics %I.%I is %L', n.nspname, x.stxname, obj_description(x.oid, 'pg_statistic_ext'))
          from pg_statistic_ext as x
          join pg_namespace as n on n.oid = x.stxnamespace
          where x.stxrelid = old_table and obj_description(x.oid, 'pg_statistic_ext') is not null
        ) as c;
        for had in
          select d.objid::regclass as sequence, d.deptype, t.attname
          from pg_depend as d
          join pg_class as c on c.oid = d.objid and c.relkind = 'S'
          join pg_attribute as t on t.attrelid = old_table and t.attnum = d.refobjsubid
          where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid = old_table and d.deptype in ('a', 'i')
        loop
          if had.deptype = 'a' then
            execute format('alter sequence %s owned by %s.%I', had.sequence, new_table, had.attname);
          else
            execute format('select last_value, is_called from %s', had.sequence) into place;
            perform setval(pg_get_serial_sequence(new_table::text, had.attname)::regclass, place.last_value, place.is_called);
          end if;
        end loop;
        execute format('drop table %s', old_table);
        foreach command in array commands loop
          execute command;
        end loop;
      end
    `)};
  `;
}

/** After the commit: rows were looked at before the swap, so this only says so in the catalog, under a lock that stops nobody. */
export function validateReferences(table: QualifiedName): Sql {
  return block(sql`
    declare
      command text;
    begin
      for command in
        select format('alter table %s validate constraint %I', conrelid::regclass, conname)
        from pg_constraint
        where conrelid = ${literal(tableIdent(table).text)}::regclass and contype = 'f' and not convalidated
      loop
        execute command;
      end loop;
    end
  `);
}
