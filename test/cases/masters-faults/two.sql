create type mood as enum ('happy', 'sad');

create table same (id uuid primary key, note text);

create table differs (
  id bigint primary key,
  narrow varchar(10),
  optional text,
  sorted text,
  feeling mood,
  counted bigint,
  twice integer
);

create table other_kind (id integer, primary key (id));
create table only_at_two (id uuid primary key);
create unlogged table unlogged_there (id uuid primary key);
create table no_key (id uuid);
create table sarrio_names (id uuid primary key, sarrio_at timestamptz);

create table groups (id uuid primary key);
create table risky (
  id serial primary key,
  email text unique,
  phone text,
  group_id uuid references groups,
  room integer,
  during tstzrange,
  exclude using gist (during with &&)
);
create unique index risky_phone on risky (lower(phone));
create table events (happened timestamptz default now() primary key, what text);
create table ringed (id uuid primary key, note text);
create table counted (id serial primary key, note text);
create sequence late_ids;
create table late (id bigint default nextval('late_ids'::text) primary key);
