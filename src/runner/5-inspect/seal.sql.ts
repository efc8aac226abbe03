/**
 * Purpose: what the catalog says of captures, in a form that tells afterwards whether anything went by them: for each captured table
 * and its partitions the oid, the row that made it a partition, and each of our triggers with its state. A catalog row's xmin is
 * another one after any change to it, so that a trigger that was disabled and enabled again shows, too. Freezing keeps xmin.
 * Reads: pg_catalog. Writes: nothing. Called by: readSeals. $1: JSON array of {"position", "schema", "name", "delta"}.
 */
export const FOUND_SEALS = `
with recursive wanted as (
  select w.position, w.delta, c.oid
  from json_to_recordset($1::json) as w(position int, schema text, name text, delta text)
  left join (pg_catalog.pg_namespace as s join pg_catalog.pg_class as c on c.relnamespace = s.oid) on s.nspname = w.schema and c.relname = w.name
), members as (
  select w.position, w.oid, null::text as joined
  from wanted as w
  where w.oid is not null
  union all
  select m.position, i.inhrelid, i.xmin::text
  from members as m
  join pg_catalog.pg_class as p on p.oid = m.oid and p.relkind = 'p'
  join pg_catalog.pg_inherits as i on i.inhparent = p.oid
), relations as (
  select m.position, json_agg(json_build_object(
    'oid', c.oid::text,
    'schema', n.nspname,
    'name', c.relname,
    'joined', m.joined,
    'persistence', c.relpersistence,
    'hierarchy', m.joined is null and (
      exists (select from pg_catalog.pg_inherits as i where i.inhparent = c.oid and c.relkind = 'r')
      or exists (select from pg_catalog.pg_inherits as i where i.inhrelid = c.oid)),
    'triggers', (
      select coalesce(json_agg(json_build_array(t.tgname, t.tgenabled, concat_ws('.', t.oid, t.xmin), concat_ws('.', f.oid, f.xmin)) order by t.tgname), '[]')
      from pg_catalog.pg_trigger as t
      join pg_catalog.pg_proc as f on f.oid = t.tgfoid
      where t.tgrelid = c.oid and t.tgname like 'sarrio\\_%' and not t.tgisinternal and t.tgparentid = 0
        and f.pronamespace = (select n.oid from pg_catalog.pg_namespace as n where n.nspname = 'sarrio'))
  ) order by c.oid) as list
  from members as m
  join pg_catalog.pg_class as c on c.oid = m.oid
  join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
  group by m.position
)
select w.position,
  json_build_object('delta', to_regclass(w.delta)::oid::text, 'table', w.oid::text, 'relations', coalesce(r.list, '[]'))::text as seal
from wanted as w
left join relations as r on r.position = w.position
order by w.position
`;

/** Purpose: the seals that apply left. Reads: sarrio.seal. Writes: nothing. Called by: readRecordedSeals. */
export const RECORDED_SEALS = 'select delta, seal, broken_at::text as broken_at, broken_reason from sarrio.seal order by delta';

/** Purpose: seals as apply leaves them. Reads: nothing. Writes: sarrio.seal. Called by: sealGroup. */
export const RECORD_SEAL = `
insert into sarrio.seal (delta, seal) values ($1, $2)
on conflict (delta) do update set seal = excluded.seal, sealed_at = excluded.sealed_at, broken_at = null, broken_reason = null
`;

/** Purpose: keeps what a runner noticed until an apply repairs it; the first reason stays. Reads: nothing. Writes: sarrio.seal. Called by: watchSeals. */
export const MARK_BROKEN = `
update sarrio.seal set broken_at = clock_timestamp(), broken_reason = $3
where delta = $1 and seal = $2 and broken_at is null
`;
