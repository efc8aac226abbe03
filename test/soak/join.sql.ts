/**
 * Purpose: the tables, writes and looks of a large table that joins a running sync.
 * Reads, writes: its tables, pg_stat_activity, sarrio.copy_range. Called by: `join.ts`.
 */
export const BIG = `
  create table small (id integer primary key, n integer not null default 0);
  create table big (id integer primary key, code integer unique, v text);
`;

export function fillBig(rows: number): string {
  return `
    with filled as (
      insert into small (id) select g from generate_series(1, 1000) as g
    )
    insert into big select g, g, repeat('x', 90) || g from generate_series(1, ${rows}) as g
  `;
}

/** $1: a key. Rows move, go, come again, take the unique value of another, and change their key. */
export const CHANGES = [
  'update big set v = left(v, 90) || clock_timestamp() where id = $1::integer',
  'update small set n = n + 1 where id = 1 + $1::integer % 1000',
  'update big set v = null where id = $1::integer',
  'with gone as (delete from big where id = $1::integer returning code) insert into big select -$1::integer, code, $$again$$ from gone on conflict do nothing',
  'update big set code = -code where id = $1::integer and not exists (select from big as b where b.code = -big.code)',
];

/** Ranges of the default size are larger than a small table, which is copied too fast to be killed on the way. */
export function configWith(tables: readonly string[], rows: number): string {
  const copy = rows < 2_000_000 ? "{ chunk: '1 MB', rate: '2 MB', jobs: 2 }" : "{ chunk: '32 MB', jobs: 2 }";
  return `
    import { defineReplication, env } from 'sarrio';
    export default defineReplication({
      databases: { source: env('SOURCE_URL'), target: env('TARGET_URL') },
      syncs: { s: { mode: 'one-way', source: 'source', targets: ['target'], tables: ${JSON.stringify(tables)}, copy: ${copy} } },
    });
  `;
}

export const RANGES_DONE = `
  select (select count(*) from sarrio.copy_range where copied_at is not null)
    + (select count(*) * 1000 from sarrio.initial_copy where relation = 'public.big') as done
`;

/** Milliseconds for which the session that has waited longest has stood behind one of Sarrio's. */
export const BLOCKED_BY_US = `
  select coalesce(max(extract(epoch from clock_timestamp() - l.waitstart) * 1000), 0)::float8 as ms
  from pg_stat_activity as w
  join pg_locks as l on l.pid = w.pid and not l.granted and l.waitstart is not null
  where w.application_name not like 'sarrio%' and w.datname = current_database()
    and exists (
      select from unnest(pg_blocking_pids(w.pid)) as b (pid)
      join pg_stat_activity as o on o.pid = b.pid
      where o.application_name like 'sarrio%'
    )
`;
