/**
 * Purpose: changes that wait for somebody's approval.
 * Reads, writes: sarrio.guard in the target. Called by: `guard.ts`, `approvals.ts`.
 */
const COLUMNS = `g.id::text as id, g.sync, g.source, g.position, g.findings::text as findings, g.held_at::text as held_at,
    g.approved_by, g.approved_at::text as approved_at`;

/** What waits, or was approved, in the stream's present life; the newest first. */
export const readGuard = `
  select ${COLUMNS}
  from sarrio.guard as g
  where g.sync = $1 and g.source = $2 and g.registration = $3::uuid and g.withdrawn_at is null
  order by g.held_at desc
`;

export const holdChanges = `
  insert into sarrio.guard (sync, source, registration, position, findings) values ($1, $2, $3::uuid, $4, $5::jsonb)
  returning id::text as id
`;

export const withdrawHold = 'update sarrio.guard set withdrawn_at = clock_timestamp() where id = $1::uuid and approved_at is null';

/** Everything that waits in this database. */
export const readWaiting = `
  select ${COLUMNS}
  from sarrio.guard as g
  where g.approved_at is null and g.withdrawn_at is null
  order by g.held_at, g.id
`;

/** Only what still waits. */
export const approveHold = `
  update sarrio.guard set approved_by = $2, approved_at = clock_timestamp()
  where id = $1::uuid and approved_at is null and withdrawn_at is null
`;
