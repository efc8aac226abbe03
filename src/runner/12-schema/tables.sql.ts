/**
 * Purpose: what the catalog says of tables, all that a table of the same kind is made from elsewhere, in a fixed number of statements.
 * Each row is one JSON object, `item`. Works on PostgreSQL 14 to 18: what only some of them have is read through `to_jsonb`.
 * Reads: pg_catalog. Writes: nothing. Called by: readTables, under an empty search path, so that every name comes with its schema.
 */
const item = (query: string): string => `select row_to_json(q)::text as item from (${query}) as q`;

/** A column list of one relation as names, in the order of the array. */
const names = (relation: string, numbers: string): string => `(
  select coalesce(json_agg(listed.attname order by part.place), '[]')
  from unnest(${numbers}) with ordinality as part(number, place)
  join pg_catalog.pg_attribute as listed on listed.attrelid = ${relation} and listed.attnum = part.number
)`;

/** Names of the columns of a relation that an object depends on. */
const uses = (relation: string, objects: string): string => `(
  select coalesce(json_agg(distinct used.attname), '[]')
  from pg_catalog.pg_depend as d
  join pg_catalog.pg_attribute as used on used.attrelid = d.refobjid and used.attnum = d.refobjsubid
  where d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid = ${relation} and d.refobjsubid > 0 and (${objects})
)`;

/** Relations by name ($1: JSON list of schema and name) and all partitions below them. */
export const RELATIONS = item(`
with recursive wanted(oid) as (
  select c.oid
  from json_to_recordset($1::json) as w(schema text, name text)
  join pg_catalog.pg_namespace as n on n.nspname = w.schema
  join pg_catalog.pg_class as c on c.relnamespace = n.oid and c.relname = w.name and c.relkind in ('r', 'p', 'f', 'v', 'm')
  union
  select i.inhrelid
  from wanted
  join pg_catalog.pg_class as p on p.oid = wanted.oid and p.relkind = 'p'
  join pg_catalog.pg_inherits as i on i.inhparent = p.oid
)
select c.oid::text as oid, n.nspname as schema, c.relname as name, c.relkind as kind, c.relpersistence as persistence,
  case when c.relispartition then json_build_object('schema', pn.nspname, 'name', pc.relname) end as parent,
  pg_get_expr(c.relpartbound, c.oid) as bound,
  case when c.relkind = 'p' then pg_get_partkeydef(c.oid) end as "partitionKey",
  case when c.relkind = 'p' then ${names('c.oid', 'pt.partattrs::smallint[]')} else '[]' end as "partitionColumns",
  coalesce(pt.partexprs is not null, false) as "partitionExpressions",
  case when c.relkind = 'r' then am.amname end as method,
  coalesce(to_json(c.reloptions), '[]') as options, coalesce(to_json(t.reloptions), '[]') as "toastOptions",
  c.reloftype <> 0 as "isTyped",
  exists (
    select from pg_catalog.pg_inherits as i join pg_catalog.pg_class as o on o.oid = i.inhparent
    where not c.relispartition and i.inhrelid = c.oid or o.relkind <> 'p' and i.inhparent = c.oid
  ) as inherits,
  c.relreplident as identity,
  (select x.relname from pg_catalog.pg_index as i join pg_catalog.pg_class as x on x.oid = i.indexrelid where i.indrelid = c.oid and i.indisreplident) as "identityIndex",
  (select x.relname from pg_catalog.pg_index as i join pg_catalog.pg_class as x on x.oid = i.indexrelid where i.indrelid = c.oid and i.indisclustered) as "clusterIndex",
  array_to_json(array_remove(array[
    case when c.relrowsecurity or exists (select from pg_catalog.pg_policy as p where p.polrelid = c.oid) then 'row security' end,
    case when exists (
      select from pg_catalog.pg_trigger as g join pg_catalog.pg_proc as f on f.oid = g.tgfoid join pg_catalog.pg_namespace as fn on fn.oid = f.pronamespace
      where g.tgrelid = c.oid and not g.tgisinternal and g.tgparentid = 0 and fn.nspname <> 'sarrio'
    ) then 'triggers' end,
    case when c.relkind in ('r', 'p') and exists (select from pg_catalog.pg_rewrite as r where r.ev_class = c.oid) then 'rules' end
  ], null)) as "leftBehind",
  obj_description(c.oid, 'pg_class') as comment
from wanted as w
join pg_catalog.pg_class as c on c.oid = w.oid
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
left join pg_catalog.pg_am as am on am.oid = c.relam
left join pg_catalog.pg_class as t on t.oid = c.reltoastrelid
left join pg_catalog.pg_partitioned_table as pt on pt.partrelid = c.oid
left join pg_catalog.pg_inherits as h on h.inhrelid = c.oid and c.relispartition
left join pg_catalog.pg_class as pc on pc.oid = h.inhparent
left join pg_catalog.pg_namespace as pn on pn.oid = pc.relnamespace
order by n.nspname collate "C", c.relname collate "C"`);

/** Of a sequence `s` in pg_sequence with its relation `q` and schema `qn`. */
const SEQUENCE = `json_build_object(
  'schema', qn.nspname, 'name', q.relname, 'type', format_type(s.seqtypid, null), 'persistence', q.relpersistence,
  'start', s.seqstart::text, 'increment', s.seqincrement::text, 'minimum', s.seqmin::text, 'maximum', s.seqmax::text,
  'cache', s.seqcache::text, 'cycles', s.seqcycle, 'comment', obj_description(q.oid, 'pg_class'))`;

/** Columns of the relations in $1. A sequence is that of an identity, or one that the default draws from, or one that the column owns. */
export const COLUMNS = item(`
select a.attrelid::text as relation, a.attname as name, format_type(a.atttypid, a.atttypmod) as type, a.attnotnull as "notNull",
  a.attidentity as identity, a.attgenerated as generated, pg_get_expr(d.adbin, d.adrelid) as expression,
  case when a.attcollation <> 0 and a.attcollation <> t.typcollation then format('%I.%I', ln.nspname, l.collname) end as collation,
  case when a.attstorage <> t.typstorage then a.attstorage end as storage,
  nullif(a.attcompression::text, '') as compression, nullif(to_jsonb(a)->>'attstattarget', '-1') as statistics,
  coalesce(to_json(a.attoptions), '[]') as options, col_description(a.attrelid, a.attnum) as comment,
  case when a.attgenerated <> '' then ${uses(
    'a.attrelid',
    `(d.classid = 'pg_catalog.pg_attrdef'::regclass and d.objid = (select o.oid from pg_catalog.pg_attrdef as o where o.adrelid = a.attrelid and o.adnum = a.attnum)
      or d.classid = 'pg_catalog.pg_class'::regclass and d.objid = a.attrelid and d.objsubid = a.attnum) and d.refobjsubid <> a.attnum`,
  )} else '[]' end as uses,
  (
    select json_agg(json_build_object('isIdentity', u.kind = 'i', 'isOwned', u.kind in ('i', 'a'), 'sequence', ${SEQUENCE}) order by q.oid)
    from (
      select e.objid as oid, max(e.deptype::text) as kind from (
        select o.objid, o.deptype from pg_catalog.pg_depend as o
        where o.classid = 'pg_catalog.pg_class'::regclass and o.refclassid = 'pg_catalog.pg_class'::regclass
          and o.refobjid = a.attrelid and o.refobjsubid = a.attnum and o.deptype in ('a', 'i')
        union all
        select o.refobjid, ' ' from pg_catalog.pg_depend as o
        where o.classid = 'pg_catalog.pg_attrdef'::regclass and o.objid = d.oid and o.refclassid = 'pg_catalog.pg_class'::regclass and o.refobjid <> a.attrelid
      ) as e(objid, deptype) group by e.objid
    ) as u
    join pg_catalog.pg_sequence as s on s.seqrelid = u.oid
    join pg_catalog.pg_class as q on q.oid = u.oid
    join pg_catalog.pg_namespace as qn on qn.oid = q.relnamespace
  ) as sequences,
  (
    select json_build_object('name', k.conname, 'validated', k.convalidated, 'noInherit', k.connoinherit)
    from pg_catalog.pg_constraint as k where k.conrelid = a.attrelid and k.contype = 'n' and k.conkey = array[a.attnum]
  ) as "notNullConstraint"
from pg_catalog.pg_attribute as a
join pg_catalog.pg_type as t on t.oid = a.atttypid
left join pg_catalog.pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum
left join pg_catalog.pg_collation as l on l.oid = a.attcollation
left join pg_catalog.pg_namespace as ln on ln.oid = l.collnamespace
where a.attrelid = any ($1::oid[]) and a.attnum > 0 and not a.attisdropped
order by a.attrelid, a.attnum`);

/** Constraints of the relations in $1; NOT NULL is the columns' own, constraint triggers are triggers. A foreign key's text begins with `prefix`. */
export const CONSTRAINTS = item(`
select k.conrelid::text as relation, k.conname as name, k.contype as kind, pg_get_constraintdef(k.oid) as definition,
  k.conparentid <> 0 as "isInherited",
  ${names('k.conrelid', 'k.conkey')} as columns,
  ${uses('k.conrelid', `d.classid = 'pg_catalog.pg_constraint'::regclass and d.objid = k.oid or d.classid = 'pg_catalog.pg_class'::regclass and d.objid = k.conindid and k.contype <> 'f'`)} as uses,
  case when k.contype = 'f' then json_build_object('schema', rn.nspname, 'name', rc.relname) end as reference,
  case when k.contype = 'f' then ${names('k.confrelid', 'k.confkey')} else '[]' end as "referenceColumns",
  coalesce((to_jsonb(k)->>'conperiod')::boolean, false) as "isPeriod",
  coalesce((to_jsonb(k)->>'conenforced')::boolean, true) as "isEnforced",
  coalesce(jsonb_typeof(to_jsonb(k)->'confdelsetcols') = 'array', false) as "setsColumns",
  coalesce((to_jsonb(i)->>'indnullsnotdistinct')::boolean, false) and k.contype <> 'f' as "nullsEqual",
  case when k.contype <> 'f' then coalesce(to_json(x.reloptions), '[]') else '[]' end as "indexOptions",
  case when k.contype = 'f' then format('FOREIGN KEY (%s) REFERENCES %I.%I(%s)',
    (select string_agg(case when p.place = cardinality(k.conkey) and coalesce((to_jsonb(k)->>'conperiod')::boolean, false) then 'PERIOD ' else '' end
      || quote_ident(a.attname), ', ' order by p.place)
      from unnest(k.conkey) with ordinality as p(number, place) join pg_catalog.pg_attribute as a on a.attrelid = k.conrelid and a.attnum = p.number),
    rn.nspname, rc.relname,
    (select string_agg(case when p.place = cardinality(k.confkey) and coalesce((to_jsonb(k)->>'conperiod')::boolean, false) then 'PERIOD ' else '' end
      || quote_ident(a.attname), ', ' order by p.place)
      from unnest(k.confkey) with ordinality as p(number, place) join pg_catalog.pg_attribute as a on a.attrelid = k.confrelid and a.attnum = p.number)
  ) end as prefix,
  obj_description(k.oid, 'pg_constraint') as comment
from pg_catalog.pg_constraint as k
left join pg_catalog.pg_class as rc on rc.oid = k.confrelid and k.contype = 'f'
left join pg_catalog.pg_namespace as rn on rn.oid = rc.relnamespace
left join pg_catalog.pg_index as i on i.indexrelid = k.conindid
left join pg_catalog.pg_class as x on x.oid = k.conindid
where k.conrelid = any ($1::oid[]) and k.contype in ('p', 'u', 'x', 'c', 'f') and not (k.contype = 'f' and k.conparentid <> 0)
order by k.conrelid, position(k.contype::text in 'puxcf'), k.conname collate "C"`);

/** Indexes of the relations in $1 that belong to no constraint. Their text begins with `prefix`. */
export const INDEXES = item(`
select i.indrelid::text as relation, x.relname as name, pg_get_indexdef(i.indexrelid) as definition, i.indisunique as "isUnique", i.indisvalid as "isValid",
  format('CREATE %sINDEX %I ON %s%I.%I USING ', case when i.indisunique then 'UNIQUE ' else '' end, x.relname,
    case when x.relkind = 'I' then 'ONLY ' else '' end, n.nspname, c.relname) as prefix,
  ${uses('i.indrelid', `d.classid = 'pg_catalog.pg_class'::regclass and d.objid = i.indexrelid`)} as uses,
  coalesce((to_jsonb(i)->>'indnullsnotdistinct')::boolean, false) as "nullsEqual",
  obj_description(i.indexrelid, 'pg_class') as comment
from pg_catalog.pg_index as i
join pg_catalog.pg_class as x on x.oid = i.indexrelid
join pg_catalog.pg_class as c on c.oid = i.indrelid
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where i.indrelid = any ($1::oid[]) and c.relkind in ('r', 'p')
  and not exists (select from pg_catalog.pg_constraint as k where k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x'))
order by i.indrelid, x.relname collate "C"`);

/** Extended statistics of the relations in $1. Their text ends with `suffix`. */
export const STATISTICS = item(`
select s.stxrelid::text as relation, sn.nspname as schema, s.stxname as name, pg_get_statisticsobjdef(s.oid) as definition,
  format(' FROM %I.%I', n.nspname, c.relname) as suffix,
  ${uses('s.stxrelid', `d.classid = 'pg_catalog.pg_statistic_ext'::regclass and d.objid = s.oid`)} as uses,
  obj_description(s.oid, 'pg_statistic_ext') as comment
from pg_catalog.pg_statistic_ext as s
join pg_catalog.pg_namespace as sn on sn.oid = s.stxnamespace
join pg_catalog.pg_class as c on c.oid = s.stxrelid
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where s.stxrelid = any ($1::oid[])
order by s.stxrelid, s.stxname collate "C"`);

/** The type of an expression over a table's columns, whether the table has rows or not. */
export function expressionType(expression: string, table: string): string {
  return `select pg_catalog.pg_typeof((select (${expression}\n) from ${table} limit 0))::text as type`;
}
