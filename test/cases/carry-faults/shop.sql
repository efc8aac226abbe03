create table customers (id bigserial primary key, email text);
create sequence by_text;
create table texts (id bigint default nextval('by' || '_text') primary key);
