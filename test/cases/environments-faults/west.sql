create table stock (article text primary key, pieces integer not null);
