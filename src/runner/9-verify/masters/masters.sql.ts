import type { Statement } from '../../postgres/statement.ts';

/**
 * Purpose: the bookkeeping queries of verify between masters.
 * Reads: snapshots, sarrio.watermark, sarrio.held, sarrio.initial_copy. Writes: settings. Called by: the files of this room.
 *
 * Read committed, so that every statement sees what was committed before it: what was recorded until after all snapshots.
 */
export const beginHold: Statement = { text: 'begin transaction isolation level read committed, read only' };

/**
 * The first statement of the reading transaction: its snapshot, and what is known here of every other member as of then; `applied` where the
 * table has not moved with the watermark. $1: sync, $2: relation.
 */
export const readSeen = `
  select pg_current_snapshot()::text as snapshot, w.source, w.position, w.registration::text as registration, c.capture::text as capture, c.is_joined,
    coalesce(h.position, w.position) as applied
  from (select) as one
  left join sarrio.watermark as w on w.sync = $1
  left join sarrio.initial_copy as c on c.sync = w.sync and c.source = w.source and c.relation = $2
  left join sarrio.held as h on h.sync = w.sync and h.source = w.source and h.relation = $2
`;

export const setMember: (member: number) => Statement = (member) => ({
  text: "select set_config('sarrio.member', $1, true)",
  values: [String(member)],
});

export const readClock = 'select clock_timestamp()::text as now';
