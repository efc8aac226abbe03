create table notes (id integer primary key, slug text not null, sarrio_present boolean);
create unique index notes_slug on notes (slug);
create table log (change_at timestamptz primary key, body text);
