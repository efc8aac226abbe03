-- encoding: SQL_ASCII
create table public.notes (id integer primary key, body text);
