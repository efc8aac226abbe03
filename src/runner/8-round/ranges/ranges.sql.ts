/**
 * Purpose: the ranges of blocks in which large tables are copied.
 * Reads: the size and file of a source table. Writes: sarrio.copy_range in the target. Called by: `ranges.ts`, `copy-range.ts`.
 */
export const tableFile = `
  select pg_relation_filenode($1::regclass)::text as filenode,
    (pg_relation_size($1::regclass) / current_setting('block_size')::bigint)::text as blocks,
    current_setting('block_size') as block_size
`;

export const isCopied = 'select from sarrio.initial_copy where sync = $1 and source = $2 and relation = $3 and capture = $4::oid';

export const readRanges = `
  select r.number::text as number, r.copy::text as copy, r.registration::text as registration, r.capture::text as capture, r.filenode::text as filenode, r.position,
    r.first_block::text as first_block, r.end_block::text as end_block, r.copied_rows::text as copied_rows
  from sarrio.copy_range as r
  where r.sync = $1 and r.source = $2 and r.relation = $3
  order by r.number
`;

export const forgetRanges = 'delete from sarrio.copy_range where sync = $1 and source = $2 and relation = $3';

export const forgetRangesOf = 'delete from sarrio.copy_range where sync = $1 and source = $2 and relation = any ($3::text[])';

/** $8: blocks of a range, $9: blocks in all. */
export const insertRanges = `
  with copy as (
    select gen_random_uuid() as copy
  )
  insert into sarrio.copy_range (sync, source, relation, number, copy, registration, capture, filenode, position, first_block, end_block)
  select $1, $2, $3, b / $8::bigint, c.copy, $4::uuid, $5::oid, $6::oid, $7, b, least(b + $8::bigint, $9::bigint)
  from copy as c, generate_series(0, greatest($9::bigint - 1, 0), $8::bigint) as b
`;

/** First statement of a range's transaction: none comes back when the copy is another one by now, or somebody has copied the range. */
export const takeRange = `
  select from sarrio.copy_range
  where sync = $1 and source = $2 and relation = $3 and number = $4::integer and copy = $5::uuid and copied_at is null
  for update
`;

export const finishRange = `
  update sarrio.copy_range set copied_at = clock_timestamp(), copied_rows = $5::bigint
  where sync = $1 and source = $2 and relation = $3 and number = $4::integer
`;

export const setRange = "select set_config('sarrio.first_block', $1, true), set_config('sarrio.end_block', $2, true)";

/** Tables of which a copy was begun. */
export const readRangedTables = 'select distinct relation from sarrio.copy_range where sync = $1 and source = $2';
