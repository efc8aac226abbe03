create type public.mood as enum ('sad', 'happy', 'odd');
create table public.fit (
  id smallint primary key, a integer, b varchar(10), c varchar(10), d char(3), e numeric(8, 2), f numeric(8, 2), g real, h text[], i integer[]
);
create table public.unfit (
  id bigint primary key, a varchar(10), b numeric(8, 2), c numeric, d double precision, e text, f timestamptz, g integer[], h char(3), i varchar, j bigint
);
create table public.labels (id integer primary key, mood public.mood, moods public.mood[]);
create domain public.amount as numeric check (value > 0);
create type public.pair as (a integer, b text);
create type public.span as range (subtype = float8);
create collation public.folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
create table public.made (id integer primary key, amount public.amount, pair public.pair, span public.span, amounts public.amount[], plain public.amount);
create table public.local (id integer primary key, o oid, c regclass[], l pg_lsn);
create table public.made_by_server (id integer primary key, tree pg_node_tree);
create table public.lists (id json[] primary key);
create table public.folding (id text collate public.folded primary key);
create table public.own_index (id text not null);
create unique index own_index_folded on public.own_index (id collate public.folded);
