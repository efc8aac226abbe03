import { displayName, ident, type QualifiedName } from '../../sql/quote.ts';
import type { Statement } from '../postgres/statement.ts';

/**
 * Purpose: how a transaction of a round joins changes with a table: by looking them up, or as the planner likes.
 * Reads: statistics of a table, on the source its delta table. Writes: settings of the transaction.
 * Called by: `apply-staged.ts`, `masters/member-deliver.ts`, `masters/deliver-at-once.ts`, and readers of many rows.
 */

/** Few changes against a large table must never be joined by reading the whole table; `many` gives the planner its choice back. */
export function planFor(changes: 'few' | 'many'): string {
  const value = changes === 'few' ? 'off' : 'on';
  const workers = changes === 'few' ? "'0'" : "(select reset_val from pg_settings where name = 'max_parallel_workers_per_gather')";
  return `select set_config('enable_seqscan', '${value}', true), set_config('enable_hashjoin', '${value}', true), set_config('enable_mergejoin', '${value}', true),
    set_config('max_parallel_workers_per_gather', ${workers}, true)`;
}

/** Below this number, and below this share of the table's rows, changes are looked up by key instead of by reading the table. */
const FEW = 100_000;
const FEW_SHARE = 0.02;
/** Of a table that was never analyzed. */
const BYTES_PER_ROW = 100;

/**
 * Estimated rows of a table with its partitions; where it was never analyzed, by its size. `pg_partition_tree` is empty for a table that is
 * neither partitioned nor a partition, and a partitioned table's own estimate counts its partitions.
 */
const rowsOf = (table: string): string => `
  select coalesce(sum(case when c.reltuples >= 0 then c.reltuples else pg_relation_size(c.oid) / ${String(BYTES_PER_ROW)} end), 0)::bigint
  from pg_class as c
  where c.relkind <> 'p'
  and (c.oid = ${table} or c.oid in (select t.relid from pg_partition_tree(${table}) as t))
`;

export const estimatedRows = `select (${rowsOf('$1::regclass')})::text as rows`;

/** Entries are looked through for different keys while they are fewer than this share of the table's rows: reading the table would cost more than that. */
const COUNTED_SHARE = 0.1;

/** Where a table's entries stand (display name), and by what names their key columns go. */
export type Entries = { readonly delta: string; readonly key: readonly string[] };

/**
 * For the rest of the transaction: changes that are few beside their table are looked up by key, for more of them the planner has its
 * choice; processes beside its own only for a hundred thousand and more, since to start them takes longer than to read so many entries. It
 * cannot know itself how many changes there are: a position is no constant, so it takes a third of the delta table for pending and reads a
 * table of a million rows for four hundred. Many entries may be few keys, changed often: with `among` they are counted, after
 * `setPosition`, those that are not for this sync with the others, for it is an estimate.
 */
export function joinsFor(table: QualifiedName, entries: number | 'all', among: Entries | null = null): Statement {
  const few = `least(${String(FEW)}, ${String(FEW_SHARE)} * r.rows)`;
  const counted = among === null ? 'false' : `$2::bigint < ${String(COUNTED_SHARE)} * r.rows and (${differentKeys(among)}) < ${few}`;
  return {
    ...(among === null ? { name: 'sarrio_joins' } : {}),
    text: `select set_config('enable_seqscan', e.choice, true), set_config('enable_hashjoin', e.choice, true), set_config('enable_mergejoin', e.choice, true),
        set_config('max_parallel_workers_per_gather', case when e.choice = 'off' or $2::bigint < ${String(FEW)} then '0' else s.reset_val end, true)
      from (
        select case when $2::bigint < ${few} then 'off' when ${counted} then 'off' else 'on' end as choice
        from (${rowsOf('$1::regclass')}) as r (rows)
      ) as e
      cross join pg_settings as s
      where s.name = 'max_parallel_workers_per_gather'`,
    values: [displayName(table), entries === 'all' ? null : String(entries)],
  };
}

/** For the rest of the transaction, the session's own. */
export const usualJoins: Statement = {
  name: 'sarrio_usual_joins',
  text: `select set_config(name, reset_val, true) from pg_settings
    where name in ('enable_seqscan', 'enable_hashjoin', 'enable_mergejoin', 'max_parallel_workers_per_gather')`,
};

/** The two ranges of ids apart, each one of the index. */
function differentKeys({ delta, key }: Entries): string {
  const keys = (range: string): string => `
    select ${key.map((column) => `d.${ident(column).text}`).join(', ')}
    from ${delta} as d
    where d.change_bulk is distinct from 0 and d.change_xid ${range}`;
  return `
    select count(*)
    from (
      ${keys(">= (select current_setting('sarrio.xmax')::xid8)")}
      union
      ${keys("= any ((select current_setting('sarrio.xip')::xid8[])::xid8[])")}
    ) as k
  `;
}
