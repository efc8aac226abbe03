-- Made by sarrio pull --with-schema: what database replica lacks of the tables that its syncs bring there. Review and commit it.
-- sarrio: {"format":"1.0","project":"shop","database":"replica","env":"REPLICA_URL","objects":[{"kind":"table","schema":"public","name":"a"}],"locks":[],"checksum":"of what it was before somebody edited it"}
begin;

-- object: table public.a
create table public.a (
  id bigint not null
);

commit;
