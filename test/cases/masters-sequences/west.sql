create sequence tickets;
create table customers (id bigserial primary key, email text, password_hash text);
create table "Order Lines" (id smallint generated always as identity primary key, what text);
create table calls (ticket bigint default nextval('tickets') primary key, said text);
create table visits (ticket bigint default nextval('tickets') primary key, seen text);
create table papers (id text default 'p' || nextval('tickets') primary key);
