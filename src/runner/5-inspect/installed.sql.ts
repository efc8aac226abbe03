import { ident } from '../../sql/quote.ts';

/**
 * A trigger's WHEN clause as a list of what it is made of, with names for oids and column numbers. pg_get_triggerdef would lock the
 * user's table and spell the same clause differently from one major version to the next.
 */
const WHEN_CLAUSE = `(
  select json_agg(case
    when m.part[3] is not null then (select json_build_array(o.oprnamespace::regnamespace::text, o.oprname) from pg_catalog.pg_operator as o where o.oid = m.part[3]::oid)
    when m.part[4] is not null then (select json_build_array(f.pronamespace::regnamespace::text, f.proname) from pg_catalog.pg_proc as f where f.oid = m.part[4]::oid)
    when m.part[6] is not null then (select json_build_array(m.part[5], a.attname) from pg_catalog.pg_attribute as a
      where a.attrelid = t.tgrelid and a.attnum = m.part[6]::int)
    else to_json(m.part) end order by m.position)
  from regexp_matches(t.tgqual::text, '[{]([A-Z_]+)|:boolop ([a-z]+)|:opno ([0-9]+)|:funcid ([0-9]+)|:varno ([0-9]+) :varattno (-?[0-9]+)|:constvalue ([^}]*)', 'g')
    with ordinality as m(part, position))`;

/** Who besides the owner holds which rights by an access list, as JSON; null grants are the type's defaults, which give others something of functions alone. */
const grantsOf = (acl: string, type: 'n' | 'r' | 's' | 'f', owner: string, columnsOf = ''): string => `case when ${given(acl, type, columnsOf)} then (
  select json_agg(json_build_array(g.grantee, g.privilege_type, g.is_grantable) order by g.grantee collate "C", g.privilege_type collate "C")
  from (
    select distinct case a.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end as grantee, a.privilege_type, a.is_grantable
    from (
      select * from aclexplode(coalesce(${acl}, acldefault('${type}', ${owner})))${columnsOf === '' ? '' : COLUMN_GRANTS.replace('$relation', columnsOf)}
    ) as a
    where a.grantee <> ${owner}
  ) as g) end`;
const given = (acl: string, type: string, columnsOf: string): string =>
  type === 'f' ? 'true' : `${acl} is not null${columnsOf === '' ? '' : ` or ${columnsOf} in (select attrelid from granted)`}`;
const COLUMN_GRANTS = `
      union all select (aclexplode(k.attacl)).* from pg_catalog.pg_attribute as k where k.attrelid = $relation and k.attacl is not null`;

/**
 * Purpose: every object of ours that stands in one database, with a fingerprint over what the catalog says of it: columns that
 * are exact, the same after dump and restore, and free of deparsed expressions but for partition bounds. Rights of others are read beside it;
 * who does not apply (a reader) is told which tables of triggers the owner of schema sarrio owns, so that both make the same plan. Indexes of constraints, identity sequences and trigger clones belong to their owners.
 * Reads: pg_catalog. Writes: nothing. Called by: liveObjects.
 * $1: JSON array of relation and function names (for triggers: of their tables) to restrict to, or null for all.
 */
export const LIVE_OBJECTS = `
with ours as (
  select n.oid, n.nspowner, n.nspacl from pg_catalog.pg_namespace as n where n.nspname = 'sarrio'
), wanted as (
  select json_array_elements_text($1::json) as name
), relations as (
  select c.*
  from pg_catalog.pg_class as c
  join ours on ours.oid = c.relnamespace
  where $1 is null or c.relname in (select name from wanted)
), granted as (
  select a.attrelid from pg_catalog.pg_attribute as a where a.attacl is not null and a.attrelid in (select oid from relations)
), columns as (
  select a.attrelid,
    json_agg(json_build_array(a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated, a.atthasdef,
      case when a.attcollation <> t.typcollation then (
        select quote_ident(n.nspname) || '.' || quote_ident(l.collname)
        from pg_catalog.pg_collation as l join pg_catalog.pg_namespace as n on n.oid = l.collnamespace
        where l.oid = a.attcollation) end) order by a.attnum) as list
  from pg_catalog.pg_attribute as a
  join pg_catalog.pg_type as t on t.oid = a.atttypid
  where a.attrelid in (select oid from relations where relkind in ('r', 'p')) and a.attnum > 0 and not a.attisdropped
  group by a.attrelid
)
select 'schema' as kind, 'sarrio' as name, null as arguments, null as table_schema, null as table_name, null as calls,
  pg_has_role(ours.nspowner, 'USAGE') as owned, null as columns, ${grantsOf('ours.nspacl', 'n', 'ours.nspowner')}::text as grants,
  md5(json_build_array(has_schema_privilege('public', ours.oid, 'CREATE'))::text) as fingerprint
from ours
union all
select 'table', c.relname, null, null, null, null, pg_has_role(c.relowner, 'USAGE'), columns.list::text, ${grantsOf('c.relacl', 'r', 'c.relowner', 'c.oid')}::text,
  md5(json_build_array(c.relkind, c.relpersistence, c.relreplident, c.reloptions, pg_get_partkeydef(c.oid), pg_get_expr(c.relpartbound, c.oid),
    (select json_agg(i.inhparent::regclass::text order by i.inhseqno) from pg_catalog.pg_inherits as i where i.inhrelid = c.oid), columns.list,
    (select json_agg(json_build_array(k.conname, pg_get_constraintdef(k.oid)) order by k.conname) from pg_catalog.pg_constraint as k
      where k.conrelid = c.oid and k.contype in ('p', 'u', 'c', 'f', 'x')))::text)
from relations as c
left join columns on columns.attrelid = c.oid
where c.relkind in ('r', 'p')
union all
select 'index', c.relname, null, null, null, null, pg_has_role(c.relowner, 'USAGE'), null, null,
  md5(json_build_array(i.indisunique, i.indisvalid, pg_get_indexdef(c.oid))::text)
from relations as c
join pg_catalog.pg_index as i on i.indexrelid = c.oid
where c.relkind in ('i', 'I') and not c.relispartition
  and not exists (select from pg_catalog.pg_constraint as k where k.conindid = c.oid and k.contype in ('p', 'u', 'x'))
union all
select 'sequence', c.relname, null, null, null, null, pg_has_role(c.relowner, 'USAGE'), null, ${grantsOf('c.relacl', 's', 'c.relowner')}::text,
  md5(json_build_array(c.relpersistence, format_type(s.seqtypid, null), s.seqincrement, s.seqmin, s.seqmax, s.seqstart, s.seqcache, s.seqcycle)::text)
from relations as c
join pg_catalog.pg_sequence as s on s.seqrelid = c.oid
where not exists (select from pg_catalog.pg_depend as d
  where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.deptype in ('i', 'a'))
union all
select 'function', p.proname, oidvectortypes(p.proargtypes), null, null, null, pg_has_role(p.proowner, 'USAGE'), null, ${grantsOf('p.proacl', 'f', 'p.proowner')}::text,
  md5(json_build_array(p.prosrc, l.lanname, p.prokind, p.prosecdef, p.proisstrict, p.proretset, p.provolatile, p.proparallel, p.proconfig,
    pg_get_function_result(p.oid), has_function_privilege('public', p.oid, 'EXECUTE'))::text)
from pg_catalog.pg_proc as p
join ours on ours.oid = p.pronamespace
join pg_catalog.pg_language as l on l.oid = p.prolang
where $1 is null or p.proname in (select name from wanted)
union all
select 'trigger', t.tgname, null, n.nspname, c.relname, p.proname,
  case when pg_has_role(ours.nspowner, 'USAGE') then pg_has_role(c.relowner, 'USAGE') else pg_has_role(ours.nspowner, c.relowner, 'USAGE') end, null, null,
  md5(json_build_array(t.tgtype, t.tgenabled, p.proname, encode(t.tgargs, 'hex'), t.tgdeferrable, t.tginitdeferred,
    case when t.tgattr::text <> '' then (select json_agg(a.attname order by k.position) from unnest(t.tgattr::int2[]) with ordinality as k(number, position)
      join pg_catalog.pg_attribute as a on a.attrelid = t.tgrelid and a.attnum = k.number) end,
    t.tgoldtable, t.tgnewtable, case when t.tgqual is not null then ${WHEN_CLAUSE} end)::text)
from pg_catalog.pg_trigger as t
join pg_catalog.pg_proc as p on p.oid = t.tgfoid
join ours on ours.oid = p.pronamespace
join pg_catalog.pg_class as c on c.oid = t.tgrelid
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where t.tgname like 'sarrio\\_%' and t.tgparentid = 0 and not t.tgisinternal
  and ($1 is null or c.relname in (select name from wanted))
union all
select 'other', pg_describe_object(d.classid, d.objid, 0), null, null, null, null, false, null, null, ''
from pg_catalog.pg_depend as d
join ours on ours.oid = d.refobjid
where $1 is null and d.refclassid = 'pg_catalog.pg_namespace'::regclass and d.classid <> 'pg_catalog.pg_proc'::regclass
  and not exists (select from pg_catalog.pg_class as c
    where d.classid = 'pg_catalog.pg_class'::regclass and c.oid = d.objid and c.relkind in ('r', 'p', 'i', 'I', 'S'))
`;

/**
 * Purpose: the snapshot in which one database is inspected. Reads, writes: nothing. Called by: inspectDatabase.
 */
export const BEGIN_INSPECTION = 'begin isolation level repeatable read read only';
export const LIMIT_INSPECTION = "set local statement_timeout = '60s'";
export const FINISH_INSPECTION = 'commit';

/** Purpose: the inventory, written by apply. Reads: sarrio.installed. Writes: nothing. Called by: recordsOf. */
export const INSTALLED = 'select kind, name, project, hash, fingerprint, plan_format from sarrio.installed order by kind, name';

/** Purpose: streams that hold this source's changes. Reads: sarrio.acknowledged. Writes: nothing. Called by: recordsOf. */
export const REGISTERED = 'select sync, target from sarrio.acknowledged order by sync, target';

/** Purpose: streams that have begun in this target. Reads: sarrio.watermark. Writes: nothing. Called by: recordsOf. */
export const WATERMARKS = 'select sync, source from sarrio.watermark order by sync, source';

/** Purpose: tables whose initial copy has begun in this target. Reads: sarrio.initial_copy. Writes: nothing. Called by: recordsOf. */
export const COPIES = 'select sync, source, relation from sarrio.initial_copy order by sync, source, relation';

/** More changes than this are reported as "more than". */
export const MOST_COUNTED = 1_000_000;

/**
 * Purpose: how many changes a delta table holds, up to a bound so that a plan never waits for a week's backlog.
 * Reads: the delta tables. Writes: nothing. Called by: changesIn.
 */
export function countChangesSql(deltas: readonly string[]): string {
  return deltas
    .map(
      (delta, index) =>
        `select ${index} as ordinal, count(*) as changes from (select from ${ident('sarrio', delta).text} limit ${MOST_COUNTED + 1}) as bounded`,
    )
    .join('\nunion all\n');
}
