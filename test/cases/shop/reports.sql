create schema sales;
create type sales.order_status as enum ('cart', 'paid', 'sent', 'lost');
create table sales.buyers (id bigint primary key, full_name text not null, tags jsonb, mail_domain text, seen_at timestamptz default now());
create table sales.orders (id bigint primary key, customer_id bigint, status sales.order_status, total numeric);
