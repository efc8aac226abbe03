create table filtered (id integer primary key, body text);
create table computed (id integer primary key, body text);
create table fine (id integer primary key, body text);
create table "broken
name" (id integer primary key, "a
b" text);
