create table accounts (id uuid primary key, name text not null, balance numeric(12, 2) not null);
