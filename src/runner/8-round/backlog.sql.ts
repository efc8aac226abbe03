import { dangerousRaw, sql } from '../../sql/sql.ts';

/**
 * Purpose: what a target holds back in its source, and how it is detached.
 * Reads: sarrio.acknowledged, sarrio.stream, delta segments. Writes: sarrio.acknowledged. Called by: `backlog.ts`.
 *
 * $1 sync, $2 seconds after which a runner that says nothing is not there.
 */
export const readHolders = `
  select a.target, a.registration::text as registration, a.position,
    coalesce(s.state in ('running', 'copying') and s.reported_at > clock_timestamp() - make_interval(secs => $2::double precision), false) as is_healthy,
    coalesce(s.state, 'not running') as state
  from sarrio.acknowledged as a
  left join sarrio.stream as s on s.sync = a.sync and s.target = a.target
  where a.sync = $1 and a.detached_at is null
  order by a.target
`;

/** Bytes with indexes, and pages without. */
export const readSegmentSizes = `
  select s.name, pg_total_relation_size(to_regclass(s.name))::text as bytes,
    (pg_relation_size(to_regclass(s.name)) / current_setting('block_size')::bigint)::text as pages
  from unnest($1::text[]) as s (name)
  where to_regclass(s.name) is not null
`;

/** Entries in a sample of the pages, and how many of them a position does not cover. $1 percent of the pages, $2 xmax, $3 xip, $4 extra. */
export function sampleSegment(segment: string): string {
  return sql`
    select count(*)::text as entries,
      (count(*) filter (where (d.change_xid >= $2::xid8 or d.change_xid = any ($3::xid8[])) and d.change_xid <> all ($4::xid8[])))::text as held
    from ${dangerousRaw(segment)} as d tablesample system ($1::real)
  `.text;
}

/** Only while nothing has moved since it was measured: a target that comes after at this moment stays. */
export const detachStream = `
  update sarrio.acknowledged set detached_at = clock_timestamp(), detached_reason = $4
  where sync = $1 and target = $2 and registration = $3::uuid and position is not distinct from $5 and detached_at is null
`;
