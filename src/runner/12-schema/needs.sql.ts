/**
 * Purpose: what tables cannot do without: types, collations, functions, operators and the extensions that these come from, as
 * dependencies in the catalog; and what another database has of them. Each row is one JSON object, `item`.
 * Reads: pg_catalog. Writes: nothing. Called by: readNeeds, readPresence, under an empty search path.
 */
const item = (query: string): string => `select row_to_json(q)::text as item from (${query}) as q`;

/** Columns that an object depends on and that are not kept. */
const unkept = (relation: string, object: string): string => `
      select from pg_catalog.pg_depend as d
      where ${object} and d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid = ${relation} and d.refobjsubid > 0
        and not exists (select from kept as u where u.attrelid = d.refobjid and u.attnum = d.refobjsubid)`;

/**
 * Of the relations in $1 (those of their columns that are in $2, JSON list of relation and name), with defaults, constraints and indexes: all objects of users
 * and extensions that they depend on. `holder` is the type that the object is needed for, 0 when it is a table. What an extension's object
 * or a function needs is not followed.
 */
export const NEEDS = item(`
with recursive kept as (
  select a.attrelid, a.attnum from json_to_recordset($2::json) as w(relation oid, name text)
  join pg_catalog.pg_attribute as a on a.attrelid = w.relation and a.attname = w.name
),
start as (
  select 'pg_catalog.pg_class'::regclass::oid as classid, r.oid as objid from unnest($1::oid[]) as r(oid)
  union all
  select 'pg_catalog.pg_attrdef'::regclass, d.oid from pg_catalog.pg_attrdef as d join kept as k on k.attrelid = d.adrelid and k.attnum = d.adnum
  union all
  select 'pg_catalog.pg_constraint'::regclass, k.oid from pg_catalog.pg_constraint as k
  where k.conrelid = any ($1::oid[]) and k.contype in ('c', 'x')
    and not exists (${unkept('k.conrelid', "d.classid = 'pg_catalog.pg_constraint'::regclass and d.objid = k.oid")})
  union all
  select 'pg_catalog.pg_class'::regclass, i.indexrelid from pg_catalog.pg_index as i
  where i.indrelid = any ($1::oid[])
    and not exists (${unkept('i.indrelid', "d.classid = 'pg_catalog.pg_class'::regclass and d.objid = i.indexrelid")})
),
closure(classid, objid, holder) as (
  select s.classid, s.objid, 0::oid from start as s
  union
  select n.classid, n.objid, case when c.classid = 'pg_catalog.pg_type'::regclass and not n.is_element then c.objid else c.holder end
  from closure as c
  cross join lateral (
    select d.refclassid, d.refobjid, d.deptype = 'i'
    from pg_catalog.pg_depend as d
    where d.classid = c.classid and d.objid = c.objid and d.deptype in ('n', 'a', 'i')
      and d.refclassid = any ('{pg_catalog.pg_type,pg_catalog.pg_proc,pg_catalog.pg_operator,pg_catalog.pg_opclass,pg_catalog.pg_opfamily,pg_catalog.pg_collation,pg_catalog.pg_ts_config,pg_catalog.pg_ts_dict}'::regclass[])
      and (c.classid <> 'pg_catalog.pg_class'::regclass or d.objsubid = 0 or c.objid <> all ($1::oid[])
        or exists (select from kept as k where k.attrelid = c.objid and k.attnum = d.objsubid))
    union all
    select 'pg_catalog.pg_constraint'::regclass, k.oid, false from pg_catalog.pg_constraint as k
    where c.classid = 'pg_catalog.pg_type'::regclass and k.contypid = c.objid and k.contype = 'c'
    union all
    select 'pg_catalog.pg_class'::regclass, t.typrelid, false from pg_catalog.pg_type as t
    where c.classid = 'pg_catalog.pg_type'::regclass and t.oid = c.objid and t.typtype = 'c'
  ) as n(classid, objid, is_element)
  where c.classid <> 'pg_catalog.pg_proc'::regclass
    and not exists (select from pg_catalog.pg_depend as e where e.classid = c.classid and e.objid = c.objid and e.deptype = 'e')
)
select distinct f.type as kind, f.identity, c.objid::text as oid, c.holder::text as holder, x.extname as extension,
  t.typtype as "typeKind", r.relkind as "relationKind", coalesce(t.typcategory = 'A' and t.typelem <> 0 and t.typtype = 'b', false) as "isArray"
from closure as c
cross join lateral pg_identify_object(c.classid, c.objid, 0) as f
left join pg_catalog.pg_depend as d on d.classid = c.classid and d.objid = c.objid and d.deptype = 'e'
left join pg_catalog.pg_extension as x on x.oid = d.refobjid
left join pg_catalog.pg_type as t on c.classid = 'pg_catalog.pg_type'::regclass and t.oid = c.objid
left join pg_catalog.pg_class as r on r.oid = t.typrelid
where c.objid >= 16384 and c.classid not in ('pg_catalog.pg_class'::regclass, 'pg_catalog.pg_attrdef'::regclass, 'pg_catalog.pg_constraint'::regclass)`);

/** The extensions in $1 (JSON list of names) and those that they require, each after what it requires itself. */
export const REQUIRED = item(`
with recursive required(oid, depth) as (
  select x.oid, 0 from pg_catalog.pg_extension as x join json_array_elements_text($1::json) as w(name) on w.name = x.extname
  union
  select d.refobjid, r.depth + 1
  from required as r
  join pg_catalog.pg_depend as d on d.classid = 'pg_catalog.pg_extension'::regclass and d.objid = r.oid and d.refclassid = 'pg_catalog.pg_extension'::regclass
)
select x.extname as name, n.nspname as schema
from (select r.oid, max(r.depth) as depth from required as r group by r.oid) as r
join pg_catalog.pg_extension as x on x.oid = r.oid
join pg_catalog.pg_namespace as n on n.oid = x.extnamespace
order by r.depth desc, x.extname collate "C"`);

/** Definitions of the types in $1. */
export const TYPES = item(`
select t.oid::text as oid, n.nspname as schema, t.typname as name, t.typtype as kind, obj_description(t.oid, 'pg_type') as comment,
  (select json_agg(e.enumlabel order by e.enumsortorder) from pg_catalog.pg_enum as e where e.enumtypid = t.oid) as labels,
  case when t.typtype = 'd' then json_build_object(
    'base', format_type(t.typbasetype, t.typtypmod), 'notNull', t.typnotnull, 'default', pg_get_expr(t.typdefaultbin, 0),
    'collation', case when t.typcollation <> b.typcollation then format('%I.%I', ln.nspname, l.collname) end,
    'checks', coalesce((
      select json_agg(json_build_object('name', k.conname, 'definition', pg_get_constraintdef(k.oid)) order by k.conname collate "C")
      from pg_catalog.pg_constraint as k where k.contypid = t.oid and k.contype = 'c'
    ), '[]')
  ) end as domain,
  case when t.typtype = 'c' then (
    select json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod), 'collation',
      case when a.attcollation <> at.typcollation then (
        select format('%I.%I', an.nspname, al.collname) from pg_catalog.pg_collation as al join pg_catalog.pg_namespace as an on an.oid = al.collnamespace where al.oid = a.attcollation
      ) end) order by a.attnum)
    from pg_catalog.pg_attribute as a join pg_catalog.pg_type as at on at.oid = a.atttypid
    where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped
  ) end as attributes,
  case when t.typtype = 'r' then (
    select json_build_object('subtype', format_type(r.rngsubtype, null), 'multirange', json_build_object('schema', mn.nspname, 'name', m.typname),
      'collation', case when r.rngcollation <> s.typcollation then format('%I.%I', rn.nspname, rl.collname) end,
      'difference', case when r.rngsubdiff <> 0 then (select format('%I.%I', fn.nspname, f.proname) from pg_catalog.pg_proc as f join pg_catalog.pg_namespace as fn on fn.oid = f.pronamespace where f.oid = r.rngsubdiff) end,
      'hasCanonical', r.rngcanonical <> 0, 'hasDefaultOrder', o.opcdefault)
    from pg_catalog.pg_range as r
    join pg_catalog.pg_type as s on s.oid = r.rngsubtype
    join pg_catalog.pg_opclass as o on o.oid = r.rngsubopc
    join pg_catalog.pg_type as m on m.oid = r.rngmultitypid
    join pg_catalog.pg_namespace as mn on mn.oid = m.typnamespace
    left join pg_catalog.pg_collation as rl on rl.oid = r.rngcollation
    left join pg_catalog.pg_namespace as rn on rn.oid = rl.collnamespace
    where r.rngtypid = t.oid
  ) end as range
from pg_catalog.pg_type as t
join pg_catalog.pg_namespace as n on n.oid = t.typnamespace
left join pg_catalog.pg_type as b on b.oid = t.typbasetype
left join pg_catalog.pg_collation as l on l.oid = t.typcollation
left join pg_catalog.pg_namespace as ln on ln.oid = l.collnamespace
where t.oid = any ($1::oid[])
order by n.nspname collate "C", t.typname collate "C"`);

/** Definitions of the collations in $1, whichever columns this version has for them. */
export const COLLATIONS = item(`
select l.oid::text as oid, n.nspname as schema, l.collname as name, l.collprovider as provider, l.collisdeterministic as "isDeterministic",
  coalesce(to_jsonb(l)->>'colllocale', to_jsonb(l)->>'colliculocale', case when l.collprovider = 'i' then to_jsonb(l)->>'collcollate' end) as locale,
  to_jsonb(l)->>'collcollate' as "lcCollate", to_jsonb(l)->>'collctype' as "lcCtype", to_jsonb(l)->>'collicurules' as rules,
  obj_description(l.oid, 'pg_collation') as comment
from pg_catalog.pg_collation as l
join pg_catalog.pg_namespace as n on n.oid = l.collnamespace
where l.oid = any ($1::oid[])
order by n.nspname collate "C", l.collname collate "C"`);

/** What a database has: every name by which something could already stand where an object is to be made. $1: JSON list of kind, schema, name, identity. */
export const PRESENT = item(`
select w.kind, w.identity,
  case
    when w.kind = 'schema' then exists (select from pg_catalog.pg_namespace as n where n.nspname = w.name)
    when w.kind = 'extension' then exists (select from pg_catalog.pg_extension as x where x.extname = w.name)
    when w.kind in ('sequence', 'relation', 'table') then exists (
      select from pg_catalog.pg_class as c join pg_catalog.pg_namespace as n on n.oid = c.relnamespace where n.nspname = w.schema and c.relname = w.name
    )
    when w.kind = 'type' then to_regtype(w.identity) is not null
    when w.kind = 'collation' then exists (
      select from pg_catalog.pg_collation as l join pg_catalog.pg_namespace as n on n.oid = l.collnamespace where n.nspname = w.schema and l.collname = w.name
    )
    when w.kind in ('function', 'aggregate', 'procedure') then to_regprocedure(w.identity) is not null
    when w.kind = 'operator' then to_regoperator(w.identity) is not null
    when w.kind in ('operator class', 'operator family', 'text search configuration', 'text search dictionary') then exists (
      select
      from (
        select 'pg_catalog.pg_opclass'::regclass, o.oid from pg_catalog.pg_opclass as o
        union all
        select 'pg_catalog.pg_opfamily'::regclass, o.oid from pg_catalog.pg_opfamily as o
        union all
        select 'pg_catalog.pg_ts_config'::regclass, o.oid from pg_catalog.pg_ts_config as o
        union all
        select 'pg_catalog.pg_ts_dict'::regclass, o.oid from pg_catalog.pg_ts_dict as o
      ) as k(classid, objid)
      cross join lateral pg_identify_object(k.classid, k.objid, 0) as f
      where k.objid >= 16384 and f.type = w.kind and f.identity = w.identity
    )
    else false
  end as "isThere",
  case w.kind
    when 'type' then to_regtype(w.identity)::oid::text
    when 'collation' then (
      select min(l.oid::text) from pg_catalog.pg_collation as l join pg_catalog.pg_namespace as n on n.oid = l.collnamespace where n.nspname = w.schema and l.collname = w.name
    )
  end as oid
from json_to_recordset($1::json) as w(kind text, schema text, name text, identity text)`);

/** Extensions of $1 (JSON list of names): where one is installed, and whether this role can install it. */
export const EXTENSIONS = item(`
select w.name, xn.nspname as schema, v.name is not null as "isAvailable",
  coalesce((v.trusted and has_database_privilege(current_database(), 'CREATE')) or not v.superuser or r.rolsuper, false) as "canInstall",
  coalesce(v.relocatable or v.schema is null, true) as "takesSchema"
from json_array_elements_text($1::json) as w(name)
cross join (select rolsuper from pg_catalog.pg_roles where rolname = current_user) as r
left join pg_catalog.pg_extension as x on x.extname = w.name
left join pg_catalog.pg_namespace as xn on xn.oid = x.extnamespace
left join pg_catalog.pg_available_extensions as a on a.name = w.name
left join pg_catalog.pg_available_extension_versions as v on v.name = a.name and v.version = a.default_version`);

/** Whether this role may make schemas, and objects in the schemas of $1 (JSON list). */
export const RIGHTS = item(`
select w.name, n.oid is not null as "isThere",
  case when n.oid is null then has_database_privilege(current_database(), 'CREATE') else has_schema_privilege(n.oid, 'CREATE') end as "mayCreate",
  quote_ident(current_user::text) as role, quote_ident(current_database()::text) as database
from json_array_elements_text($1::json) as w(name)
left join pg_catalog.pg_namespace as n on n.nspname = w.name`);
