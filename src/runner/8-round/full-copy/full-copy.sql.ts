import type { Statement } from '../../postgres/statement.ts';

/**
 * Purpose: the bookkeeping queries of full copies.
 * Reads: sarrio.kick, sarrio.paused (source), sarrio.full_copy, sarrio.migration (target). Writes: sarrio.kick, sarrio.full_copy. Called by: `follow-copies.ts`,
 * `copy-group.ts`, `copy-status.ts`, `control.ts`; `11-migrate/rest.ts`.
 */
export const readRequest = `
  select clock_timestamp()::text as now, (extract(epoch from clock_timestamp()) * 1000)::text as now_ms,
    (select k.kick::text from sarrio.kick as k where k.sync = $1) as kick,
    exists (select from sarrio.paused as p where p.sync = $1) as is_paused
`;

const IS_RESTING = 'exists (select from sarrio.migration as m where m.ended_at is null and m.tables && $3::text[])';

/** $1: sync, $2: source, $3: tables; with whether one of these rests for a migration. Always one row. */
export const readLastCopy = `
  select c.copied_at::text as copied_at, (extract(epoch from c.copied_at) * 1000)::text as copied_ms, c.kick::text as kick, ${IS_RESTING} as is_resting
  from (values (1)) as one (row)
  left join sarrio.full_copy as c on c.sync = $1 and c.source = $2
`;

/** First in a copy's transaction, so that there is a row to hold. */
export const openCopy = 'insert into sarrio.full_copy (sync, source) values ($1, $2) on conflict (sync, source) do nothing';

/** The fence: whoever holds this row may copy, and only if nobody has copied since he looked. */
export const holdCopy = `
  select c.copied_at::text as copied_at, c.kick::text as kick
  from sarrio.full_copy as c
  where c.sync = $1 and c.source = $2
  for update
`;

export const finishCopy = `
  update sarrio.full_copy
  set copied_at = $3::timestamptz, kick = $4::uuid, copied_rows = $5::bigint, duration_ms = $6::bigint, copies = copies + 1
  where sync = $1 and source = $2
`;

/** How long this transaction waits for a lock. */
export function setLockTimeout(ms: number): Statement {
  return { text: "select set_config('lock_timeout', $1, true)", values: [`${Math.round(ms)}ms`] };
}

export const setCopyBuckets = "select set_config('sarrio.buckets', $1, true)";

/** `sarrio kick`: another request than the last one that was served. */
export const requestCopy = `
  insert into sarrio.kick (sync, kicked_by) values ($1, $2)
  on conflict (sync) do update set kick = gen_random_uuid(), kicked_by = excluded.kicked_by, kicked_at = clock_timestamp()
`;

/** For `status`: what the runner last said of a sync's streams, and who paused it. */
export const readCopyStreams = `
  select s.target, s.state, s.runner, s.rows_per_second::text as rows_per_second, s.last_error, s.last_error_at::text as last_error_at,
    s.last_round_at::text as last_round_at, extract(epoch from clock_timestamp() - s.reported_at)::text as reported_seconds_ago
  from sarrio.stream as s
  where s.sync = $1
`;

export const readCopyResult = `
  select c.copied_at::text as copied_at, (extract(epoch from c.copied_at) * 1000)::text as copied_ms, c.kick::text as kick,
    c.copied_rows::text as copied_rows, c.duration_ms::text as duration_ms, c.copies::text as copies
  from sarrio.full_copy as c
  where c.sync = $1 and c.source = $2
`;
