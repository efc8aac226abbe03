create type public.order_status as enum ('cart', 'paid', 'sent');
create table public.customers (
  id bigint generated always as identity primary key,
  email text not null unique,
  name varchar(80) not null,
  tags jsonb not null default '{}'
);
create table public.products (sku text primary key, price numeric(10, 2) not null, photo bytea);
create table public.orders (
  id bigint primary key,
  customer_id bigint not null references public.customers,
  status public.order_status not null default 'cart',
  net numeric(10, 2) not null,
  total numeric(12, 2) generated always as (net * 1.2) stored,
  ordered_at timestamptz not null default now()
);
create table public.order_lines (
  order_id bigint references public.orders,
  line smallint,
  sku text not null references public.products,
  quantity integer not null check (quantity > 0),
  primary key (order_id, line)
);
create table public.payments (id bigint, paid_on date, order_id bigint not null, amount numeric(12, 2) not null, primary key (id, paid_on))
  partition by range (paid_on);
create table public.payments_2024 partition of public.payments for values from ('2024-01-01') to ('2025-01-01');
create table public.payments_2025 partition of public.payments for values from ('2025-01-01') to ('2026-01-01') partition by hash (id);
create table public.payments_2025_0 partition of public.payments_2025 for values with (modulus 2, remainder 0);
create table public.payments_2025_1 partition of public.payments_2025 for values with (modulus 2, remainder 1);
create view public.orders_today as select * from public.orders where ordered_at > current_date;
