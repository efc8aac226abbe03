create table orders (id bigint primary key, note text);
create table stock (article text primary key, pieces integer not null);
create table prices (article text primary key, price numeric not null);
