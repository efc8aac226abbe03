create table customers (id bigserial primary key, email text);
create table own (id bigint default nextval('customers_id_seq') primary key);
create sequence by_text;
create table texts (id bigint default nextval('by' || '_text') primary key);
