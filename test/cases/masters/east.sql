create table accounts (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  balance numeric(12, 2) not null default 0,
  initial text generated always as (left(name, 1)) stored
);

create table order_lines (
  order_id uuid,
  line integer,
  article text not null,
  seal text unique,
  amount integer not null,
  primary key (order_id, line)
);

create table payments (
  id uuid not null default gen_random_uuid(),
  paid_on date not null,
  amount numeric(12, 2) not null,
  primary key (id, paid_on)
) partition by range (paid_on);
create table payments_2025 partition of payments for values from ('2025-01-01') to ('2026-01-01');
create table payments_2026 partition of payments for values from ('2026-01-01') to ('2027-01-01') partition by hash (id);
create table payments_2026_all partition of payments_2026 for values with (modulus 1, remainder 0);

create table places (id uuid primary key, name text);
create table special_places (reason text) inherits (places);

create table stock (article text primary key, pieces integer not null);

create table log (id uuid primary key, line text);
