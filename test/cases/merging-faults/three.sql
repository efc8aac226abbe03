create table products (
  id integer primary key,
  name text,
  stock integer not null default 0,
  weight double precision,
  double_stock integer generated always as (stock * 2) stored
);
create table other (id integer primary key, stock integer);
create table parent (id integer primary key, stock integer);
create table child (primary key (id)) inherits (parent);
