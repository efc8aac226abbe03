create table orders (id bigint primary key, placed date);
create table calls (id integer, day date, internal boolean not null, primary key (id, day));
create table prices (id integer primary key, price numeric);
create table customers (id integer primary key, email text unique);
