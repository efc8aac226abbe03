create type public.mood as enum ('happy', 'sad');
create table public.fit (
  id integer primary key, a bigint, b varchar(12), c text, d char(4), e numeric(10, 2), f numeric, g double precision, h text[], i bigint[]
);
create table public.unfit (
  id integer primary key, a varchar(9), b numeric(9, 4), c numeric(9, 4), d real, e integer, f timestamp, g integer, h char(2), i varchar(10), j text
);
create table public.labels (id integer primary key, mood public.mood, moods public.mood[]);
