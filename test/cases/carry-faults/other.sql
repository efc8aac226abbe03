create table own (id bigserial primary key);
