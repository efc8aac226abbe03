create table products (
  id integer primary key,
  name text not null,
  price numeric(10, 2) not null,
  stock integer not null default 0,
  reserved numeric not null default 0,
  label text generated always as (name || '!') stored
);
create table customers (region text, id bigint, name text, notes jsonb, primary key (region, id));
create table totals (day date, shop text, sold bigint not null, primary key (day, shop)) partition by range (day);
create table totals_2026 partition of totals for values from ('2026-01-01') to ('2027-01-01');
