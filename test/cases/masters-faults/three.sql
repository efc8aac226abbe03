create table same (id uuid primary key, note text);
create table source_of_same (id uuid primary key, note text);
create table ringed (id uuid primary key, note text);
create table counted (id serial primary key, note text);
