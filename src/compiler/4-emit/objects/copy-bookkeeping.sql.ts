import { type Sql, sql } from '../../../sql/sql.ts';

/**
 * Purpose: bookkeeping of copies under way: initial ones in ranges, and full ones.
 * Reads, writes: only objects of ours. Called by: `emitBookkeeping`.
 */
/**
 * In a target: ranges of blocks in which a large table is copied, until all of them are there. All of one copy have one position, that of
 * its first snapshot, and the file of the source table in which the blocks stand; of a partitioned table those of all its partitions (`files`).
 * A target that is a master as well (`own_position`): the point in its own history from which nobody but the copy may have written to the table.
 */
export const copyRangeBlock: Sql = sql`
  create table if not exists sarrio.copy_range (
    sync text not null,
    source text not null,
    relation text not null,
    number integer not null,
    copy uuid not null,
    registration uuid not null,
    capture oid not null,
    filenode oid not null,
    position text not null,
    first_block bigint not null,
    end_block bigint not null,
    copied_rows bigint,
    copied_at timestamptz,
    primary key (sync, source, relation, number)
  );
  alter table sarrio.copy_range add column if not exists files text;
  alter table sarrio.copy_range add column if not exists own_position text;
  revoke all on table sarrio.copy_range from public;
`;

/**
 * In a target: the last full copy of a sync, written in its transaction: whoever holds the row may copy. `copied_at` is the time of the
 * snapshot by the source's clock, `kick` the last request that was served.
 */
export const fullCopyBlock: Sql = sql`
  create table if not exists sarrio.full_copy (
    sync text not null,
    source text not null,
    copied_at timestamptz,
    kick uuid,
    copied_rows bigint not null default 0,
    duration_ms bigint not null default 0,
    copies bigint not null default 0,
    primary key (sync, source)
  );
  revoke all on table sarrio.full_copy from public;
`;

/** In a source: the last request for a full copy of a sync, whether a runner is there to hear of it or not. */
export const kickBlock: Sql = sql`
  create table if not exists sarrio.kick (
    sync text not null,
    kick uuid not null default pg_catalog.gen_random_uuid(),
    kicked_by text not null,
    kicked_at timestamptz not null default pg_catalog.clock_timestamp(),
    primary key (sync)
  );
  revoke all on table sarrio.kick from public;
`;
