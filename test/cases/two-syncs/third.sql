create table public.notes (id bigint primary key, body text);
create table public.notes_far (id integer primary key, body text);
