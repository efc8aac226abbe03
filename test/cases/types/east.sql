create type public.mood as enum ('sad', 'happy', 'odd');
create table public.fit (
  id smallint primary key, a integer, b varchar(10), c varchar(10), d char(3), e numeric(8, 2), f numeric(8, 2), g real, h text[], i integer[]
);
create table public.unfit (
  id bigint primary key, a varchar(10), b numeric(8, 2), c numeric, d double precision, e text, f timestamptz, g integer[], h char(3), i varchar, j bigint
);
create table public.labels (id integer primary key, mood public.mood, moods public.mood[]);
