-- What the reporting copy and the archive have differently, after schema.sql.

alter table customers drop column password_hash;
alter table customers add column email_domain text;
drop table web_sessions;
