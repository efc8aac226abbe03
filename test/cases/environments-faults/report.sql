create table orders (id bigint primary key, note text);
create table prices (article text primary key, price numeric not null);
