/**
 * Purpose: the catalog of one database as the schema lock keeps it, in two round trips whatever the number of tables.
 * Works on PostgreSQL 14 to 18 and needs no privilege on the tables themselves. Reads: pg_catalog. Writes: nothing.
 * Called by: readSchema, under an empty search path (`format_type` then writes every schema but pg_catalog).
 */
export const BEGIN_READING = 'begin isolation level repeatable read, read only';

/** Ends the reading; there is nothing to commit. */
export const FINISH_READING = 'rollback';

/** Of the index `i`: expressions over the table's columns with the operators by which two rows exclude each other. */
const PARTS = `(
          select json_agg(json_build_object(
            'expression', pg_get_indexdef(i.indexrelid, p.place, false)
              || case when not l.collisdeterministic then format(' collate %I.%I', ln.nspname, l.collname) else '' end,
            'operator', json_build_object('schema', opn.nspname, 'name', op.oprname)) order by p.place)
          from generate_series(1, i.indnkeyatts::integer) as p(place)
          join pg_catalog.pg_operator as op on op.oid = /*op*/
          join pg_catalog.pg_namespace as opn on opn.oid = op.oprnamespace
          left join pg_catalog.pg_collation as l on l.oid = i.indcollation[p.place - 1]
          left join pg_catalog.pg_namespace as ln on ln.oid = l.collnamespace)`;

/**
 * Relations of the schemas in $1 (JSON array of names), and whatever is below them by partitioning or inheritance in other schemas.
 * A trigger of a partition counts for its partitioned tables, since an update through them fires it.
 */
export const RELATIONS = `
with recursive family as (
  select c.oid
  from pg_catalog.pg_class as c
  join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
  where n.nspname in (select json_array_elements_text($1::json))
    and n.nspname !~ '^pg_'
    and n.nspname not in ('information_schema', 'sarrio')
    and c.relkind in ('r', 'p', 'f', 'v', 'm')
  union
  select i.inhrelid
  from family
  join pg_catalog.pg_inherits as i on i.inhparent = family.oid
  join pg_catalog.pg_class as c on c.oid = i.inhrelid
  where c.relkind in ('r', 'p', 'f')
),
before_update as (
  select t.tgrelid as relation
  from pg_catalog.pg_trigger as t
  where t.tgtype & 19 = 19 and not t.tgisinternal and t.tgenabled <> 'D'
),
updated as (
  select relation from before_update
  union
  select a.relid from before_update as b cross join lateral pg_catalog.pg_partition_ancestors(b.relation) as a
)
select c.oid::text as oid, n.nspname as schema, c.relname as name, c.relkind as kind, c.relpersistence as persistence,
  c.relispartition as is_partition, c.relrowsecurity as row_security,
  c.oid in (select relation from updated) as before_update_trigger,
  (select coalesce(json_agg(json_build_object('schema', pn.nspname, 'name', p.relname) order by i.inhseqno), '[]')
    from pg_catalog.pg_inherits as i
    join pg_catalog.pg_class as p on p.oid = i.inhparent
    join pg_catalog.pg_namespace as pn on pn.oid = p.relnamespace
    where i.inhrelid = c.oid and not i.inhdetachpending)::text as parents,
  (select json_agg(json_build_object('name', x.relname, 'definition', regexp_replace(pg_get_indexdef(i.indexrelid), '^.*? USING ', ''),
        'parts', ${PARTS.replace(
          '/*op*/',
          `(select m.amopopr from pg_catalog.pg_opclass as oc join pg_catalog.pg_amop as m
          on m.amopfamily = oc.opcfamily and m.amoplefttype = oc.opcintype and m.amoprighttype = oc.opcintype and m.amopstrategy = 3
          where oc.oid = i.indclass[p.place - 1])`,
        )},
        'where', pg_get_expr(i.indpred, i.indrelid), 'nulls_equal', to_json(i) ->> 'indnullsnotdistinct')
      order by x.relname collate "C")
    from pg_catalog.pg_index as i
    join pg_catalog.pg_class as x on x.oid = i.indexrelid
    where i.indrelid = c.oid and i.indisunique and i.indisvalid and not i.indisexclusion)::text as unique_indexes,
  (select json_agg(json_build_object('name', k.conname, 'definition', pg_get_constraintdef(k.oid),
        'parts', ${PARTS.replace('/*op*/', 'k.conexclop[p.place]')}, 'where', pg_get_expr(i.indpred, i.indrelid))
      order by k.conname collate "C")
    from pg_catalog.pg_constraint as k
    join pg_catalog.pg_index as i on i.indexrelid = k.conindid
    where k.conrelid = c.oid and i.indisexclusion)::text as exclusions,
  (select json_agg(t.tgname order by t.tgname collate "C")
    from pg_catalog.pg_trigger as t
    join pg_catalog.pg_proc as f on f.oid = t.tgfoid
    join pg_catalog.pg_namespace as fn on fn.oid = f.pronamespace
    where t.tgrelid = c.oid and t.tgenabled in ('A', 'R') and not t.tgisinternal and fn.nspname <> 'sarrio')::text as replica_triggers
from family
join pg_catalog.pg_class as c on c.oid = family.oid
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where c.relpersistence <> 't'
order by n.nspname collate "C", c.relname collate "C"
`;

/**
 * Columns of the relations in $1 (oid array). From PostgreSQL 18 on a NOT NULL may be not valid yet; then the column may hold nulls.
 * The type's names tell how values can travel; `element` is set for true arrays only (int2vector is none). The default is read only of
 * columns of unique indexes: two databases may give the same value.
 */
export const COLUMNS = `
select a.attrelid::text as relation, a.attname as name,
  format_type(a.atttypid, a.atttypmod) as type,
  a.attnotnull and not exists (
    select from pg_catalog.pg_constraint as k
    where k.conrelid = a.attrelid and k.contype = 'n' and k.conkey = array[a.attnum] and not k.convalidated
  ) as not_null,
  (a.atthasdef and a.attgenerated = '') or t.typdefault is not null as has_default,
  a.attidentity as identity, a.attgenerated as generated,
  case when a.attcollation <> t.typcollation then format('%I.%I', cn.nspname, l.collname) end as collation,
  t.typlen < 0 as variable_length,
  t.oid < 16384 and tn.nspname = 'pg_catalog' as is_built_in,
  coalesce(e.typname, t.typname) as base_type,
  (select pg_get_expr(d.adbin, d.adrelid)
    from pg_catalog.pg_attrdef as d
    where d.adrelid = a.attrelid and d.adnum = a.attnum and a.attgenerated = ''
      and exists (select from pg_catalog.pg_index as i where i.indrelid = a.attrelid and i.indisunique and a.attnum = any (i.indkey))) as key_default,
  (select json_agg(json_build_object('schema', sn.nspname, 'name', s.relname, 'type', format_type(q.seqtypid, null))
      order by sn.nspname collate "C", s.relname collate "C")
    from (
      select d.objid
      from pg_catalog.pg_depend as d
      where d.classid = 'pg_catalog.pg_class'::regclass and d.refclassid = 'pg_catalog.pg_class'::regclass
        and d.refobjid = a.attrelid and d.refobjsubid = a.attnum and d.deptype in ('a', 'i')
      union
      select d.refobjid
      from pg_catalog.pg_attrdef as f
      join pg_catalog.pg_depend as d on d.classid = 'pg_catalog.pg_attrdef'::regclass and d.objid = f.oid
      where d.refclassid = 'pg_catalog.pg_class'::regclass and f.adrelid = a.attrelid and f.adnum = a.attnum
    ) as used(oid)
    join pg_catalog.pg_sequence as q on q.seqrelid = used.oid
    join pg_catalog.pg_class as s on s.oid = used.oid
    join pg_catalog.pg_namespace as sn on sn.oid = s.relnamespace)::text as sequences
from pg_catalog.pg_attribute as a
join pg_catalog.pg_type as t on t.oid = a.atttypid
join pg_catalog.pg_namespace as tn on tn.oid = t.typnamespace
left join pg_catalog.pg_type as e on e.oid = t.typelem and e.typarray = t.oid
left join pg_catalog.pg_collation as l on l.oid = a.attcollation
left join pg_catalog.pg_namespace as cn on cn.oid = l.collnamespace
where a.attrelid = any ($1::oid[]) and a.attnum > 0 and not a.attisdropped
order by a.attrelid, a.attnum
`;

/**
 * Key columns of the plain unique indexes of the relations in $1, with the equality operator of each one's operator class (strategy 3
 * of a btree). Left out are those by which two rows may differ that the column's own equality takes for one, or the other way round:
 * without overlaps (18), an operator class with an equality of its own (record_image_ops), a nondeterministic collation that only
 * the index or only the column has.
 */
export const KEYS = `
with plain as materialized (
  select i.indexrelid, i.indrelid, i.indisprimary, i.indimmediate, i.indnkeyatts, i.indkey, i.indclass, i.indcollation
  from pg_catalog.pg_index as i
  where i.indrelid = any ($1::oid[]) and i.indisunique and i.indisvalid and not i.indisexclusion and i.indpred is null and i.indexprs is null
),
part as materialized (
  select i.indexrelid, i.indrelid, i.indisprimary, i.indimmediate, k.position,
    i.indkey[k.position] as attnum, i.indclass[k.position] as opclass, i.indcollation[k.position] as "collation"
  from plain as i
  cross join lateral generate_series(0, i.indnkeyatts - 1) as k(position)
),
equality as materialized (
  select c.oid, c.opcmethod, c.opcintype, c.opcdefault, m.amopopr
  from pg_catalog.pg_opclass as c
  join pg_catalog.pg_am as am on am.oid = c.opcmethod and am.amname = 'btree'
  join pg_catalog.pg_amop as m
    on m.amopfamily = c.opcfamily and m.amoplefttype = c.opcintype and m.amoprighttype = c.opcintype and m.amopstrategy = 3
),
loose as (select l.oid from pg_catalog.pg_collation as l where not l.collisdeterministic),
unlike as (
  select p.indexrelid
  from part as p
  join pg_catalog.pg_attribute as a on a.attrelid = p.indrelid and a.attnum = p.attnum
  join equality as e on e.oid = p.opclass
  where p."collation" <> a.attcollation and (p."collation" in (select oid from loose) or a.attcollation in (select oid from loose))
    or not e.opcdefault and not exists (
      select from equality as d where d.opcmethod = e.opcmethod and d.opcintype = e.opcintype and d.opcdefault and d.amopopr = e.amopopr
    )
)
select p.indrelid::text as relation, x.relname as name, p.indisprimary as is_primary, not p.indimmediate as deferrable,
  a.attname as "column", opn.nspname as operator_schema, op.oprname as operator,
  case when opn.nspname <> 'pg_catalog' and e.opcintype <> a.atttypid and it.typtype <> 'p' then format_type(e.opcintype, null) end as operator_input,
  case when not l.collisdeterministic then format('%I.%I', ln.nspname, l.collname) end as folding
from part as p
join pg_catalog.pg_class as x on x.oid = p.indexrelid
join pg_catalog.pg_attribute as a on a.attrelid = p.indrelid and a.attnum = p.attnum
join equality as e on e.oid = p.opclass
join pg_catalog.pg_type as it on it.oid = e.opcintype
join pg_catalog.pg_operator as op on op.oid = e.amopopr
join pg_catalog.pg_namespace as opn on opn.oid = op.oprnamespace
left join pg_catalog.pg_collation as l on l.oid = p."collation"
left join pg_catalog.pg_namespace as ln on ln.oid = l.collnamespace
where p.indexrelid not in (select indexrelid from unlike)
order by p.indrelid, p.indisprimary desc, x.relname collate "C", p.position
`;

/** Tables that foreign keys of the relations in $1 point to; those that a partition has from its parent are the parent's. */
export const REFERENCES = `
select distinct k.conrelid::text as relation, n.nspname collate "C" as schema, c.relname collate "C" as name
from pg_catalog.pg_constraint as k
join pg_catalog.pg_class as c on c.oid = k.confrelid
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where k.conrelid = any ($1::oid[]) and k.contype = 'f' and k.conparentid = 0
order by 1, 2, 3
`;

/**
 * Types outside pg_catalog of the columns of the relations in $1, and the types that those are made of (elements, bases of domains,
 * attributes, subtypes of ranges), each with what a value of it depends on as JSON. Arrays are not listed, their elements are.
 */
export const TYPES = `
with recursive used as (
  select a.atttypid as oid
  from pg_catalog.pg_attribute as a
  where a.attrelid = any ($1::oid[]) and a.attnum > 0 and not a.attisdropped
  union
  select part.oid
  from used
  join pg_catalog.pg_type as t on t.oid = used.oid
  cross join lateral (
    select t.typelem
    union all
    select t.typbasetype
    union all
    select a.atttypid from pg_catalog.pg_attribute as a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped
    union all
    select r.rngsubtype from pg_catalog.pg_range as r where r.rngtypid = t.oid
    union all
    select r.rngtypid from pg_catalog.pg_range as r where r.rngmultitypid = t.oid
  ) as part(oid)
  where part.oid <> 0
)
select n.nspname as schema, t.typname as name, t.typtype as kind,
  (case t.typtype
    when 'e' then (select json_agg(e.enumlabel order by e.enumsortorder) from pg_catalog.pg_enum as e where e.enumtypid = t.oid)
    when 'd' then json_build_object(
      'base', format_type(t.typbasetype, t.typtypmod),
      'notNull', t.typnotnull,
      'checks', coalesce((
        select json_agg(pg_get_constraintdef(k.oid) order by pg_get_constraintdef(k.oid) collate "C")
        from pg_catalog.pg_constraint as k where k.contypid = t.oid and k.contype = 'c'
      ), '[]')
    )
    when 'c' then (
      select json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod)) order by a.attnum)
      from pg_catalog.pg_attribute as a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped
    )
    when 'r' then (select to_json(format_type(r.rngsubtype, null)) from pg_catalog.pg_range as r where r.rngtypid = t.oid)
    when 'm' then (select to_json(format_type(r.rngtypid, null)) from pg_catalog.pg_range as r where r.rngmultitypid = t.oid)
    else (
      select to_json(x.extname)
      from pg_catalog.pg_depend as d join pg_catalog.pg_extension as x on x.oid = d.refobjid
      where d.classid = 'pg_catalog.pg_type'::regclass and d.objid = t.oid and d.refclassid = 'pg_catalog.pg_extension'::regclass and d.deptype = 'e'
    )
  end)::text as definition
from used
join pg_catalog.pg_type as t on t.oid = used.oid
join pg_catalog.pg_namespace as n on n.oid = t.typnamespace
where n.nspname <> 'pg_catalog' and not exists (select from pg_catalog.pg_type as e where e.typarray = t.oid)
order by n.nspname collate "C", t.typname collate "C"
`;
