import { literal, type QualifiedName, tableIdent } from '../../sql/quote.ts';
import { sql } from '../../sql/sql.ts';

/**
 * Purpose: what a migration does to tables between masters besides its statements.
 * Reads: the catalog, sarrio.watermark, sarrio.held, sarrio.initial_copy. Writes: sarrio.initial_copy, sarrio.held, sarrio.watermark, sarrio.conflict,
 * sarrio.parked; triggers on users' tables. Called by: `close-members.ts`, `rest.ts`, `drain.ts`, `walk.ts`, `new-tables.ts`.
 *
 * `closeTables`: the statements that keep applications from writing to tables ($1), with their partitions and children. CREATE TRIGGER waits for every
 * transaction that has written to the table, and every later statement finds the trigger. Row triggers are for statements on a table that one
 * inherits from.
 */
export const closeTables = `
  with recursive members as (
    select to_regclass(w.name)::oid as oid from unnest($1::text[]) as w (name)
    union
    select i.inhrelid from members as m join pg_inherits as i on i.inhparent = m.oid
  ),
  wanted as (
    select c.oid, t.name, t.text
    from members as m
    join pg_class as c on c.oid = m.oid
    join lateral (values
      ('closed_for_migration', 'before insert or update or delete or truncate on %s for each statement'),
      ('closed_for_migration_rows', 'before insert or update or delete on %s for each row')
    ) as t (name, text) on c.relkind = 'r' or (c.relkind = 'p' and t.name = 'closed_for_migration')
  )
  select coalesce(string_agg(
    format('create trigger %I %s execute function sarrio.refuse_migrating()', w.name, format(w.text, w.oid::regclass)), '; ' order by w.oid, w.name
  ), '') as text
  from wanted as w
  where not exists (select from pg_trigger as t where t.tgrelid = w.oid and t.tgname = w.name)
`;

/** The statements that let applications write again to all that are closed. */
export const openTables = `
  select coalesce(string_agg(format('drop trigger %I on %s', t.tgname, t.tgrelid::regclass), '; ' order by t.tgrelid, t.tgname), '') as text
  from pg_trigger as t
  join pg_proc as p on p.oid = t.tgfoid
  where not t.tgisinternal and t.tgparentid = 0 and p.proname = 'refuse_migrating' and p.pronamespace = 'sarrio'::regnamespace
`;

/** $1: sync, $2: source, $3: relation. */
export const readMemberPlace = `
  select coalesce(h.position, w.position) as position, c.is_joined, c.capture::text as capture
  from sarrio.watermark as w
  left join sarrio.held as h on h.sync = w.sync and h.source = w.source and h.relation = $3
  left join sarrio.initial_copy as c on c.sync = w.sync and c.source = w.source and c.relation = $3
  where w.sync = $1 and w.source = $2
`;

/** $1: a delta table. */
export const captureOid = 'select to_regclass($1)::oid::text as oid';

/** The capture of these tables will be another object, and the rows stay what they are: until it is known which one, none counts as theirs. $1: syncs, $2: relations. */
export const loseCapture = 'update sarrio.initial_copy set capture = 0 where sync = any ($1::text[]) and relation = any ($2::text[]) and is_joined';

export const lostCaptures = 'select sync, source, relation from sarrio.initial_copy where capture = 0';

/** $1: sync, $2: source, $3: relation, $4: oid of the delta table there. */
export const findCapture = 'update sarrio.initial_copy set capture = $4::oid where sync = $1 and source = $2 and relation = $3 and capture = 0';

/** A table under another name stands where it stood. $1: before, $2: after. What is left of an older one of that name is void. */
export const forgetHeldName = 'delete from sarrio.held where relation = $1';
export const renameHeld = 'update sarrio.held set relation = $2 where relation = $1';

/** And where the watermarks are, if nothing is held of it: a runner that does not know the name moves them past its changes. $1: syncs, $2: table. */
export const holdRenamed = `
  insert into sarrio.held (sync, source, relation, position)
  select w.sync, w.source, $2, w.position
  from sarrio.watermark as w
  where w.sync = any ($1::text[])
  on conflict (sync, source, relation) do nothing
`;

/** The keys of a JSON object under other names, as $3 (an object of old and new ones) says. */
const renamed = (object: string): string => `(
  select coalesce(jsonb_object_agg(coalesce($3::jsonb ->> e.key, e.key), e.value), '{}')
  from jsonb_each(${object}) as e
)`;

/** Rows that are kept aside follow the table's and its columns' names. $1: the table before, $2: after, $3: JSON object of columns before and after. */
export const renameParked = `
  update sarrio.parked as p set relation = $2, key = ${renamed('p.key')}, row = case when p.row is not null then ${renamed('p.row')} end
  where p.relation = $1
`;

/** The same of the record of conflicts. */
export const renameConflicts = `
  update sarrio.conflict as c set relation = $2, key = ${renamed('c.key')}, versions = (
    select coalesce(jsonb_agg(
      v.version
      || case when jsonb_typeof(v.version -> 'row') = 'object' then jsonb_build_object('row', ${renamed("v.version -> 'row'")}) else '{}' end
      || case when v.version ? 'masked' then jsonb_build_object('masked', (
          select jsonb_agg(coalesce($3::jsonb ->> m.name, m.name)) from jsonb_array_elements_text(v.version -> 'masked') as m (name)
        )) else '{}' end
      order by v.place), '[]')
    from jsonb_array_elements(c.versions) with ordinality as v (version, place)
  )
  where c.relation = $1
`;

/** Which of some captured tables the open transaction itself has changed rows of. */
export function ownChanges(captures: readonly { readonly name: string; readonly delta: string }[]): string {
  const each = captures.map(
    ({ name, delta }) => `select ${literal(name).text} as name where exists (select from ${delta} where change_xid = pg_current_xact_id())`,
  );
  return each.join(' union all ');
}

export function hasRows(table: QualifiedName): string {
  return sql`select exists (select from ${tableIdent(table)}) as found`.text;
}

/** Each member ran the statements for itself. $1: syncs, $2: reason. */
export const markMember = `
  update sarrio.watermark set unverified_since = clock_timestamp(), unverified_reason = concat_ws('; ', unverified_reason, $2::text)
  where sync = any ($1::text[])
`;
