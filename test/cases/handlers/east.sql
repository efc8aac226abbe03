create table customers (id bigint primary key, name text not null, email text, tier text not null, points bigint not null, active boolean not null);
create table notes (id uuid primary key, note text);
create table orders (id bigint primary key, office text, total numeric(10,2));
create table "Odd Name" (id bigint primary key, note text);
