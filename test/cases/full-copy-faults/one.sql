-- The source of full copies that are refused.
create table public.a (id integer primary key, v text);
create table public.b (id integer primary key, a integer references public.a);
create table public.keyless (v text);
create table public.parent (id integer primary key);
create view public.seen as select id, v from public.a;
