-- The source of full copies.
create table public.customers (id integer primary key, name text not null, email text unique, joined timestamptz not null default now());
create table public.orders (
  id bigint generated always as identity primary key,
  customer integer not null references public.customers,
  total numeric(10, 2) not null,
  doubled numeric(10, 2) generated always as (total * 2) stored
);
create table public.log (at timestamptz not null, line text);
create view public.totals as select customer, sum(total) as total from public.orders group by customer;
create materialized view public.latest as select max(id) as id from public.orders;
