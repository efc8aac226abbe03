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
export function fillWide(rows: number, into = 'wide'): string {
  return `
    insert into ${into}
    select g, (g * 31) % 100000, md5(g::text) || md5((g + 1)::text), timestamptz '2026-01-01 00:00+00' + g * interval '1 second',
      (g * 1.2345)::numeric(18, 4),
      jsonb_build_object('id', g, 'name', 'customer ' || g, 'tags', jsonb_build_array('a', 'b', g % 17), 'active', g % 2 = 0),
      repeat(md5((g * 3)::text), 3)
    from generate_series(1::bigint, ${rows}) as g`;
}

export const EMPTY_WIDE = 'truncate wide';
export const FREEZE_WIDE = 'vacuum (freeze, analyze) wide';

export const INSERT_NARROW = 'insert into narrow select id, v from stage.narrow';

export function stageWide(rows: number): string {
  return `create schema stage; create table stage.wide (like wide); ${fillWide(rows, 'stage.wide')}`;
}

export const FREEZE_STAGED_WIDE = 'vacuum (freeze, analyze) stage.wide';
export const INSERT_WIDE = 'insert into wide select * from stage.wide';

/** Two columns of every row; one of them tells afterwards. */
export const UPDATE_WIDE = "update wide set a = a + 1000000, c = c + interval '1 day'";
export const UPDATED_WIDE_ROW = 'select 1 from wide where id = $1 and a >= 1000000';

/** Anywhere in the table. */
export const CHANGE_ONE_OF_A_THOUSAND = 'update wide set a = a + 1 where hashint8(id) % 1000 = 7';

/** The tables of pgbench, filled alike on every server; the history has a key. $scale as pgbench has it. */
export function tpcb(scale: number): string {
  return `
    create table pgbench_branches (bid int primary key, bbalance int, filler char(88)) with (fillfactor = 100);
    create table pgbench_tellers (tid int primary key, bid int, tbalance int, filler char(84)) with (fillfactor = 100);
    create table pgbench_accounts (aid int primary key, bid int, abalance int, filler char(84)) with (fillfactor = 100);
    create table pgbench_history (hid bigserial primary key, tid int, bid int, aid int, delta int, mtime timestamp, filler char(22));
    insert into pgbench_branches select g, 0, '' from generate_series(1, ${scale}) g;
    insert into pgbench_tellers select g, (g - 1) / 10 + 1, 0, '' from generate_series(1, ${10 * scale}) g;
    insert into pgbench_accounts select g, (g - 1) / 100000 + 1, 0, '' from generate_series(1, ${100_000 * scale}) g;`;
}

export const TPCB_TABLES = ['pgbench_branches', 'pgbench_tellers', 'pgbench_accounts', 'pgbench_history'];
export const COUNT_HISTORY = 'select count(*) as n from pgbench_history';
export const VACUUM = 'vacuum (analyze)';

export function fillNarrow(rows: number): string {
  return `insert into narrow select g, 0 from generate_series(1, ${rows}) as g`;
}

export const TOUCH_NARROW = 'update narrow set v = v + 1 where id <= $1';

/** A script of pgbench: one row by its key. */
export function updateOne(rows: number): string {
  return `\\set id random(1, ${rows})\nupdate narrow set v = v + 1 where id = :id;\n`;
}

/** All rows of a table read and hashed once, as a script for psql would. */
export function hashRows(table: string): string {
  return `select count(*) as rows, sum(hashtextextended(t::text, 0)) as hash from ${table} as t`;
}

/** Tables beside those of the other workloads. */
export function moreTables(count: number): string {
  return Array.from({ length: count }, (_, index) => `create table more_${index} (id bigint primary key, v int);`).join('\n');
}

/** One row in each of those tables and one probe, in one transaction. */
export function writeEverywhere(count: number, id: number): string {
  const rows = Array.from({ length: count }, (_, index) => `insert into more_${index} values (${id}, 0);`).join(' ');
  return `begin; ${rows} insert into probe (id) values (${id}); commit`;
}

/** Forgets the installation and all but the first few of those tables. */
export const KEEP_TEN = `
  set client_min_messages = warning;
  drop schema sarrio cascade;
  do $$
  declare name text;
  begin
    for name in select tablename from pg_tables where tablename like 'more\\_%' and tablename not in ('more_0', 'more_1', 'more_2', 'more_3', 'more_4', 'more_5') loop
      execute format('drop table %I', name);
    end loop;
  end
  $$;
  truncate probe, sentinel;`;

export const PUBLIC_TABLES = "select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname = 'public'";

/** A transaction is visible wholly or not at all, so that one of its rows stands for all. */
export const NARROW_ROW = 'select 1 from narrow where id = $1';
export const WIDE_ROW = 'select 1 from wide where id = $1';

export const PROBE = 'insert into probe (id) values ($1)';
/** Prepared, and of the same cost however many rows there are. */
export const LAST_PROBE = 'select id from probe order by id desc limit 1';

/** What was committed before such a row is visible on the target no later than it. */
export const SENTINEL = 'insert into sentinel values ($1)';
export const SENTINEL_ROW = 'select 1 from sentinel where id = $1';
export const CHECKPOINT = 'checkpoint';

export function databaseFrom(name: string, template: string): string {
  return `create database ${name} template ${template}`;
}

/** What two masters change while nobody carries it: $1 is added to the rows of one side, from $2 to $3; the same rows of both are set to one value of each. */
export function changeRows(table: 'narrow' | 'wide', { from, to, value }: { from: number; to: number; value: string }): string {
  return `update ${table} set ${table === 'narrow' ? 'v' : 'a'} = ${value} where id between ${from} and ${to}`;
}

/** The rows of both tables with the ids in $1, as one text. */
export const ROWS_OF_BOTH = `
  select concat((select string_agg(n::text, ' ' order by n.id) from narrow as n where n.id = any ($1)),
    (select string_agg(w::text, ' ' order by w.id) from wide as w where w.id = any ($1))) as rows`;

export const COUNT_CONFLICTS = 'select count(*)::int as conflicts from sarrio.conflict';
