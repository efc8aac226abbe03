import { IS_PAUSED, WHY_PAUSED } from './control.sql.ts';
/**
 * Purpose: what `sarrio status` asks the databases. Reads: sarrio.stream, sarrio.acknowledged, sarrio.paused, sarrio.watermark,
 * sarrio.stopped, sarrio.parked, delta tables.
 * Writes: nothing. Called by: `status.ts`.
 */
export const readStreams = `
  select a.sync, a.target, a.position as acknowledged, s.state, s.runner, s.rows_per_second::text as rows_per_second, s.last_error,
    s.last_error_at::text as last_error_at, s.last_round_at::text as last_round_at,
    extract(epoch from clock_timestamp() - s.reported_at)::text as reported_seconds_ago,
    a.detached_at::text as detached_at, a.detached_reason, p.paused_at::text as paused_at, p.paused_by, ${WHY_PAUSED}
  from sarrio.acknowledged as a
  left join sarrio.stream as s on s.sync = a.sync and s.target = a.target
  left join sarrio.paused as p on p.sync = a.sync and ${IS_PAUSED}
`;

export const readTargetStreams = `
  select w.sync, w.source, w.position, w.applied_rows::text as applied_rows, w.applied_at::text as applied_at, w.registration::text as registration,
    w.unverified_since::text as unverified_since, w.unverified_reason,
    (select count(*) from sarrio.initial_copy as c where c.sync = w.sync and c.source = w.source)::text as copied_tables
  from sarrio.watermark as w
`;

/** Tables of one-way streams that do not follow the watermark: left out of the rounds, or copied and not joined yet. */
export const readTablesApart = 'select sync, source, relation, position from sarrio.initial_copy where not is_joined';

/** The same of a member: tables that sit rounds out, and those that came to it later than the others. */
export const readTablesHeld = 'select sync, source, relation, position from sarrio.held';

/** Tables that a person has to look at. */
export const readStoppedTables = `
  select sync, relation, code, message, hint, key::text as key, stopped_at::text as stopped_at
  from sarrio.stopped
  order by sync, relation
`;

/** Rows that are kept apart, by sync. */
export const countParked = 'select sync, count(*)::text as parked from sarrio.parked group by sync';

/** Around the `countPending` of a sync's tables: the count of entries and the age of the oldest, in seconds. */
export function summarizePending(counts: readonly string[]): string {
  return `
    select coalesce(sum(p.entries), 0)::text as pending,
      coalesce(extract(epoch from clock_timestamp() - min(p.oldest)), 0)::text as lag_seconds
    from (${counts.join('\nunion all\n')}) as p
  `;
}
