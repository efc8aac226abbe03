-- The target of full copies that are refused.
create table public.a (id integer primary key, v text);
create table public.b (id integer primary key, a integer references public.a);
create table public.keyless (v text);
create table public.parent (id integer primary key);
create table public.child () inherits (public.parent);
create table public.seen (id integer, v text);
