/**
 * Purpose: the ranges of blocks in which large tables are copied.
 * Reads: the size and file of a source table. Writes: sarrio.copy_range in the target. Called by: `ranges.ts`, `copy-range.ts`.
 */
/**
 * The files in which a table's rows stand, null where that is not for us to say (foreign tables among its partitions), and their blocks. All
 * of it is of now, whatever the transaction's snapshot.
 */
export const tableFiles = `
  with leaf as materialized (
    select t.relid, pg_relation_filenode(t.relid) as filenode
    from pg_partition_tree($1::regclass) as t
    where t.isleaf
    union all
    select $1::regclass, pg_relation_filenode($1::regclass)
    where not exists (select from pg_partition_tree($1::regclass))
  )
  select current_setting('block_size') as block_size,
    case when bool_and(l.filenode is not null) then string_agg(case when l.relid = $1::regclass then l.filenode::text else concat(l.relid::oid, ':', l.filenode) end, ' ' order by l.relid) end as files,
    coalesce(json_agg(pg_relation_size(l.relid) / current_setting('block_size')::bigint) filter (where l.filenode is not null), '[]')::text as blocks
  from leaf as l
`;

export const isCopied = 'select from sarrio.initial_copy where sync = $1 and source = $2 and relation = $3 and capture = $4::oid';

export const readRanges = `
  select r.number::text as number, r.copy::text as copy, r.registration::text as registration, r.capture::text as capture, coalesce(r.files, r.filenode::text) as files, r.position,
    r.first_block::text as first_block, r.end_block::text as end_block, r.own_position, r.copied_rows::text as copied_rows
  from sarrio.copy_range as r
  where r.sync = $1 and r.source = $2 and r.relation = $3
  order by r.number
`;

export const forgetRanges = 'delete from sarrio.copy_range where sync = $1 and source = $2 and relation = $3';

export const forgetRangesOf = 'delete from sarrio.copy_range where sync = $1 and source = $2 and relation = any ($3::text[])';

/** $6: the table's files, $8: the block after the last one of each range, $9: the target's own position where it is a master. */
export const insertRanges = `
  with copy as (
    select gen_random_uuid() as copy
  )
  insert into sarrio.copy_range (sync, source, relation, number, copy, registration, capture, filenode, files, position, first_block, end_block, own_position)
  select $1, $2, $3, e.number - 1, c.copy, $4::uuid, $5::oid, case when $6::text ~ '^[0-9]+$' then $6::text::oid else 0 end, $6::text, $7,
    coalesce(lag(e.block) over (order by e.number), 0), e.block, $9
  from copy as c, unnest($8::bigint[]) with ordinality as e (block, number)
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
