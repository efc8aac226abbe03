-- What the target sends on, and a copy of it.
create table public.customers (id integer primary key, name text not null, email text unique, joined timestamptz not null default now());
create table public.orders (
  id bigint generated always as identity primary key,
  customer integer not null references public.customers,
  total numeric(10, 2) not null,
  doubled numeric(10, 2) generated always as (total * 2) stored
);
create table public.log (at timestamptz not null, line text);
create table public.totals (customer integer primary key, total numeric);
create table public.latest (id bigint);
create table public.unused (at timestamptz not null, line text, loud text);
