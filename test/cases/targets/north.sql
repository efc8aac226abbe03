create table public.both (id integer primary key, other integer not null);
create table public.one_there (id integer primary key, other integer not null unique);
create table public.half_generated (id integer primary key, b integer);
create table public.half_missing (id integer primary key);
