create table orders (id bigint primary key);
create table calls (id integer primary key);
create table prices (id integer primary key);
