/**
 * Purpose: tables, rows and probes of the workloads. Reads, writes: the bench's own databases. Called by: the workloads.
 */
export const TABLES = `
  create table narrow (id bigint primary key, v int);
  create table wide (id bigint primary key, a int, b text, c timestamptz, d numeric, e jsonb, f text);
  create table probe (id bigint primary key, at timestamptz not null default clock_timestamp());
  create table sentinel (id int primary key);`;

/** Where the rows of one large INSERT come from, so that its time is not that of making them. No peer replicates this schema. */
export function stageNarrow(rows: number): string {
  return `
    create schema stage;
    create table stage.narrow as select g::bigint as id, (g % 1000)::int as v from generate_series(1, ${rows}) as g;`;
}

export const FREEZE_STAGE = 'vacuum (freeze, analyze) stage.narrow';

/** Rows of 327 bytes on average: the types that an application's table has. */
export function fillWide(rows: number): string {
  return `
    insert into wide
    select g, (g * 31) % 100000, md5(g::text) || md5((g + 1)::text), timestamptz '2026-01-01 00:00+00' + g * interval '1 second',
      (g * 1.2345)::numeric(18, 4),
      jsonb_build_object('id', g, 'name', 'customer ' || g, 'tags', jsonb_build_array('a', 'b', g % 17), 'active', g % 2 = 0),
      repeat(md5((g * 3)::text), 3)
    from generate_series(1::bigint, ${rows}) as g`;
}

export const FREEZE_WIDE = 'vacuum (freeze, analyze) wide';

export const INSERT_NARROW = 'insert into narrow select id, v from stage.narrow';

/** A transaction is visible wholly or not at all, so that one of its rows stands for all. */
export const NARROW_ROW = 'select 1 from narrow where id = $1';
export const WIDE_ROW = 'select 1 from wide where id = $1';

export const PROBE = 'insert into probe (id) values ($1)';
/** Prepared, and of the same cost however many rows there are. */
export const LAST_PROBE = 'select id from probe order by id desc limit 1';

export const SENTINEL = 'insert into sentinel values (1)';
export const SENTINEL_ROW = 'select 1 from sentinel';
export const CHECKPOINT = 'checkpoint';

export function databaseFrom(name: string, template: string): string {
  return `create database ${name} template ${template}`;
}
