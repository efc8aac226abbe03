/**
 * Purpose: rows that lost their place to another one with the same unique value.
 * Reads: sarrio.parked. Writes: sarrio.parked. Called by: `parked.ts`.
 */
export const listParked = `
  select p.sync, p.relation, p.key::text as key, p.error_code, p.error, p.row::text as row, p.parked_at::text as parked_at
  from sarrio.parked as p
  where ($1::text is null or p.sync = $1)
    and ($2::text is null or p.relation = $2)
  order by p.parked_at, p.sync, p.relation, p.key::text collate "C"
`;

/** $1: sync, $2: relation, $3: key. */
export const forgetParked = 'delete from sarrio.parked where sync = $1 and relation = $2 and key = $3::jsonb';
