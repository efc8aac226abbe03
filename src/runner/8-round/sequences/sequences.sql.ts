/**
 * Purpose: what the runner keeps of users' sequences. The statements that name them are the plan's.
 * Reads, writes: sarrio.sequence, sarrio.carried. Called by: `look.ts`, `carrier.ts`, `watch-sequences.ts`, `sequence-status.ts`.
 */
export function lookAtAll(looks: readonly string[]): string {
  return looks.map((look, index) => `select ${index} as ordinal, l.* from (\n${look}\n) as l`).join('\nunion all\n');
}

/** $1, $2: sync and source; $3: JSON array of {"origin", "sequence", "source_value", "value", "error"}. */
export const noteCarried = `
  insert into sarrio.carried as c (sync, source, origin, sequence, source_value, value, error)
  select $1, $2, n.origin, n.sequence, n.source_value, n.value, n.error
  from json_to_recordset($3::json) as n(origin text, sequence text, source_value bigint, value bigint, error text)
  on conflict (sync, source, origin, sequence) do update set
    source_value = excluded.source_value,
    value = excluded.value,
    error = excluded.error,
    carried_at = clock_timestamp()
`;

/** Those that the plan does not carry any more. $3 as above. */
export const forgetCarried = `
  delete from sarrio.carried as c
  where c.sync = $1 and c.source = $2
    and not exists (
      select from json_to_recordset($3::json) as n(origin text, sequence text) where n.origin = c.origin and n.sequence = c.sequence)
`;

export const readCarried = `
  select sync, source, origin, sequence, source_value::text as source_value, value::text as value, error, carried_at::text as carried_at
  from sarrio.carried
  order by sync, source, sequence, origin
`;

/** $1: JSON array of {"sequence", "last_value", "ends_at", "percent", "is_alarm"}. */
export const noteSequences = `
  insert into sarrio.sequence as s (sequence, last_value, ends_at, percent, alarmed_at)
  select n.sequence, n.last_value, n.ends_at, n.percent, case when n.is_alarm then clock_timestamp() end
  from json_to_recordset($1::json) as n(sequence text, last_value bigint, ends_at bigint, percent integer, is_alarm boolean)
  on conflict (sequence) do update set
    last_value = excluded.last_value,
    ends_at = excluded.ends_at,
    percent = excluded.percent,
    alarmed_at = case when excluded.alarmed_at is not null then coalesce(s.alarmed_at, excluded.alarmed_at) end,
    looked_at = clock_timestamp()
`;

export const forgetSequences = `
  delete from sarrio.sequence as s
  where not exists (select from json_to_recordset($1::json) as n(sequence text) where n.sequence = s.sequence)
`;

export const readSequenceStates = `
  select sequence, last_value::text as last_value, ends_at::text as ends_at, percent::text as percent, alarmed_at::text as alarmed_at,
    looked_at::text as looked_at
  from sarrio.sequence
  order by sequence
`;
