-- What the reporting copy has differently, after schema.sql.

alter table customers drop column password_hash;
alter table customers add column email_domain text;
drop table web_sessions;
drop view sales_by_day;
create table sales_by_day (paid_on date, method text, payments bigint, amount numeric);
create index on sales_by_day (paid_on);
