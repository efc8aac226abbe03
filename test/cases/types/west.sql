create type public.mood as enum ('happy', 'sad');
create table public.fit (
  id integer primary key, a bigint, b varchar(12), c text, d char(4), e numeric(10, 2), f numeric, g double precision, h text[], i bigint[]
);
create table public.unfit (
  id integer primary key, a varchar(9), b numeric(9, 4), c numeric(9, 4), d real, e integer, f timestamp, g integer, h char(2), i varchar(10), j text
);
create table public.labels (id integer primary key, mood public.mood, moods public.mood[]);
create domain public.amount as numeric not null check (value > 1);
create type public.pair as (a smallint, b text);
create type public.span as range (subtype = float4);
create table public.made (id integer primary key, amount public.amount, pair public.pair, span public.span, amounts public.amount[], plain numeric);
create table public.local (id integer primary key, o oid, c regclass[], l pg_lsn);
create table public.made_by_server (id integer primary key, tree pg_node_tree);
create table public.lists (id json[] primary key);
create table public.folding (id text primary key);
create table public.own_index (id text primary key);
