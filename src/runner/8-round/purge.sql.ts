import { dangerousRaw, sql } from '../../sql/sql.ts';

/**
 * Purpose: emptying delta segments and switching to the next one.
 * Reads: sarrio.acknowledged, delta segments. Writes: delta segments (TRUNCATE), current sequences. Called by: `purge.ts`.
 */
export const readSegments = `
  select s.name, pg_relation_size(to_regclass(s.name))::text as bytes
  from unnest($1::text[]) as s (name)
  where to_regclass(s.name) is not null
`;

/** Captures (by place in $1, from 0) whose flag does not say yet that all segments are empty. */
export const notMarkedEmpty = `
  select (f.place - 1)::text as place
  from unnest($1::text[]) with ordinality as f (flag, place)
  where to_regclass(f.flag) is not null and pg_sequence_last_value(to_regclass(f.flag)) is distinct from 1
`;

/** Losing the mark in a crash only makes rounds look in vain. */
export const loseInCrash = 'set local synchronous_commit = off';

/** Triggers write to one of them: taken at once or not at all. */
export function lockSegments(segments: readonly string[]): string {
  return sql`lock table ${dangerousRaw(segments.join(', '))} in access exclusive mode nowait`.text;
}

export const markEmpty = `
  select setval($1::regclass, 1)
  where not exists (select from unnest($2::text[]) as s (name) where pg_relation_size(s.name::regclass) > 0)
`;

/** After marks were set: rounds that know the flags read them again. */
export const announceMarks = "select nextval('sarrio.fillings')";

export const readCurrent = 'select coalesce(pg_sequence_last_value($1::regclass), 1)::text as current';

export const setCurrent = 'select setval($1::regclass, $2::bigint)';

/**
 * Who holds changes of these syncs ($1) in a delta table ($2) back, and up to where; without a position where none was acknowledged by somebody who
 * knows the table. A detached stream holds nothing.
 */
export const readPositions = `
  select sync, target, registration::text as registration,
    case when $2 = any (captures) and split_part(captures_for, ' ', 2) = position then position end as position
  from sarrio.acknowledged
  where sync = any ($1::text[]) and detached_at is null
  order by sync, target
`;

/** Tells every running stream that who holds changes back may have changed: it looks at its registration before it goes on. */
export const announceRegistry = "select nextval('sarrio.registry')";

/** Transactions that have a lock on one of these relations, by their virtual ids. Other users' sessions are seen as well. */
export const readLockHolders = `
  select distinct l.virtualtransaction as holder
  from pg_locks as l
  where l.locktype = 'relation' and l.granted and l.pid is distinct from pg_backend_pid()
    and l.database = (select oid from pg_database where datname = current_database())
    and l.relation in (select to_regclass(s.name) from unnest($1::text[]) as s (name))
`;

/**
 * Whether the capture stands as this plan made it. An apply that lets another sync read the table changes its capture function
 * first: a runner that still has the plan of before does not know that sync and must not purge. $1 kinds, $2 names, $3 hashes.
 */
export const isAsPlanned = `
  select not exists (
    select from unnest($1::text[], $2::text[], $3::text[]) as w (kind, name, hash)
    left join sarrio.installed as i on i.kind = w.kind and i.name = w.name
    where i.hash is distinct from w.hash
  ) as is_as_planned
`;

export const begin = 'begin';
export const commit = 'commit';
export const rollback = 'rollback';

/**
 * Waits a moment: under load some round nearly always reads the segments, and without waiting there would be no turn for us. Triggers
 * write to another segment and never stand behind this lock; rounds may, for so long at most.
 */
export const boundLock = "set local lock_timeout = '300ms'";

/** After `boundLock`: as the session has it. */
export const unboundLocks = "set local lock_timeout = '30s'";

export function lockSegment(segment: string): string {
  return sql`lock table ${dangerousRaw(segment)} in access exclusive mode`.text;
}

/** Whether the segment holds a change that a position does not cover. $1 xmax, $2 xip, $3 extra. The snapshot is taken after the lock. Two questions, so that each is a range of the index. Entries of a large statement that are not in the index have others of the same transaction beside them. */
export function hasUncovered(segment: string): string {
  return sql`
    select exists (
      select from ${dangerousRaw(segment)} as d
      where d.change_bulk is distinct from 0 and d.change_xid >= $1::xid8 and d.change_xid <> all ($3::xid8[])
    ) or exists (
      select from ${dangerousRaw(segment)} as d
      where d.change_bulk is distinct from 0 and d.change_xid = any ($2::xid8[]) and d.change_xid <> all ($3::xid8[])
    ) as has_uncovered
  `.text;
}

export function truncateSegment(segment: string): string {
  return sql`truncate table ${dangerousRaw(segment)}`.text;
}
