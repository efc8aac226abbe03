create sequence tickets;
create table customers (id bigserial primary key, email text);
create table "Order Lines" (id smallint generated always as identity (increment by -1 minvalue -30000 maxvalue -1) primary key, what text);
create table calls (ticket bigint default nextval('tickets') primary key, said text);
create table visits (ticket integer default nextval('tickets') primary key, seen text);
create table notes (id uuid primary key, note text);
