-- What the reporting copy has differently, after schema.sql.

alter table customers drop column password_hash;
alter table customers add column email_domain text;
drop table web_sessions;
