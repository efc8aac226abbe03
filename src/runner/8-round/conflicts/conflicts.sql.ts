/**
 * Purpose: the record of decided conflicts, as `sarrio conflicts` reads it.
 * Reads: sarrio.conflict. Writes: removes old ones. Called by: `read-conflicts.ts`, `write-row.ts`, `forget-conflicts.ts`.
 */
const COLUMNS = `
  c.id::text as id, c.sync, c.relation, c.key::text as key, c.kind, c.strategy, c.decision, c.versions::text as versions,
  c.decided_at::text as decided_at
`;

/** $1: sync or null, $2: relation or null, $3: an age such as `7 days`, or null, $4: at most so many. The newest first. */
export const listConflicts = `
  select ${COLUMNS}
  from sarrio.conflict as c
  where ($1::text is null or c.sync = $1)
    and ($2::text is null or c.relation = $2)
    and ($3::text is null or c.decided_at >= clock_timestamp() - $3::interval)
  order by c.decided_at desc, c.id
  limit $4::bigint
`;

/** $1: the beginning of an id. */
export const findConflict = `
  select ${COLUMNS}
  from sarrio.conflict as c
  where left(c.id::text, length($1)) = $1
  order by c.id
  limit 2
`;

/** One snapshot for looking and writing: what somebody else changes after it cannot be written over. */
export const beginWriting = 'begin transaction isolation level repeatable read, read write';

export const nowMicros = 'select (extract(epoch from clock_timestamp()) * 1000000)::bigint::text as now';

/** $1: sync, $2: hours. A part at a time: whoever looks at the record is not kept waiting. By `now()`, which an index can be asked for: of the clock every entry would be looked at, at every purge. */
export const forgetConflicts = `
  delete from sarrio.conflict
  where id in (
    select c.id
    from sarrio.conflict as c
    where c.sync = $1 and c.decided_at < now() - $2::integer * interval '1 hour'
    order by c.decided_at
    limit 10000
  )
`;
