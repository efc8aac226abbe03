import { dollarQuote, ident, literal, type QualifiedName, tableIdent } from '../../../sql/quote.ts';
import { type Sql, sql } from '../../../sql/sql.ts';
import { objectNames } from '../../2-model/object-names.ts';
import { carryOver, commandsAfter, unfitReasons } from './swap-carry.sql.ts';

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
      ${unfitReasons}
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
        ${commandsAfter}
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
