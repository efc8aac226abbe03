/**
 * Purpose: indexes that are set aside for a copy, and those that nobody would build again.
 * Reads: sarrio.set_aside, sarrio.copy_range, sarrio.watermark. Writes: what `sarrio.put_index_back` does. Called by: `set-aside.ts`.
 */
export const readSetAside = `
  select indexed::text as indexed, name, is_clustered
  from sarrio.set_aside
  where sync = $1 and source = $2 and relation = $3
  order by name
`;

/** Of tables that are not copied in ranges any more, or whose stream is gone. */
export const readStray = `
  select s.indexed::text as indexed, s.name
  from sarrio.set_aside as s
  where not exists (select from sarrio.copy_range as r where r.sync = s.sync and r.source = s.source and r.relation = s.relation)
    or not exists (select from sarrio.watermark as w where w.sync = s.sync and w.source = s.source)
  order by s.name
`;

export const putIndexBack = 'select sarrio.put_index_back($1::oid, $2)';
