import { type Sql, sql } from '../../../sql/sql.ts';

/**
 * Purpose: gives a new table, in a block that declares `old_table`, `new_table`, `had` and `command`, what an old one has beside columns, defaults and
 * checks. Indexes and the constraints that have one are called `swap__<oid of the old one>` until the names are free.
 * Reads: the catalog. Writes: the new table. Called by: `swap.sql.ts`.
 */
export const carryOver: Sql = sql`
  -- Indexes, and constraints that have one.
  for had in
    select i.indexrelid as oid, i.indisclustered, i.indisreplident, i.indisunique, c.relname as name, c.reloptions, s.spcname, k.oid as held,
      pg_get_indexdef(i.indexrelid) as definition, pg_get_constraintdef(k.oid) as rule, 'swap__' || coalesce(k.oid, i.indexrelid) as draft,
      format('CREATE %sINDEX %I ON %s USING ', case when i.indisunique then 'UNIQUE ' else '' end, c.relname, old_table) as opening
    from pg_index as i
    join pg_class as c on c.oid = i.indexrelid
    left join pg_tablespace as s on s.oid = c.reltablespace
    left join pg_constraint as k on k.conindid = i.indexrelid and k.conrelid = old_table and k.contype in ('p', 'u', 'x')
    where i.indrelid = old_table
    order by i.indexrelid
  loop
    perform set_config('default_tablespace', coalesce(had.spcname, ''), true);
    if had.held is not null then
      execute format('alter table %s add constraint %I %s', new_table, had.draft, had.rule);
      for command in
        select format('alter index %I.%I set (%s = %L)', n.nspname, had.draft, split_part(o.option, '=', 1), substr(o.option, strpos(o.option, '=') + 1))
        from pg_class as c
        join pg_namespace as n on n.oid = c.relnamespace, unnest(had.reloptions) as o (option)
        where c.oid = new_table
      loop
        execute command;
      end loop;
    else
      if not starts_with(had.definition, had.opening) then
        raise exception 'index % has a definition that is not understood: %', had.name, had.definition;
      end if;
      execute format('create %sindex %I on %s using ', case when had.indisunique then 'unique ' else '' end, had.draft, new_table)
        || substr(had.definition, length(had.opening) + 1);
    end if;
    for command in
      select format('comment on %s is %L', x.what, x.comment)
      from (
        select format('index %I.%I', n.nspname, had.draft) as what, obj_description(had.oid, 'pg_class') as comment
        from pg_class as c join pg_namespace as n on n.oid = c.relnamespace where c.oid = new_table
        union all
        select format('constraint %I on %s', had.draft, new_table), obj_description(had.held, 'pg_constraint')
      ) as x
      where x.comment is not null
      union all
      select format('alter index %I.%I alter column %s set statistics %s', n.nspname, had.draft, a.attnum, a.attstattarget)
      from pg_attribute as a, pg_class as c join pg_namespace as n on n.oid = c.relnamespace
      where a.attrelid = had.oid and a.attstattarget >= 0 and c.oid = new_table
      union all
      select format('alter table %s cluster on %I', new_table, had.draft) where had.indisclustered
      union all
      select format('alter table %s replica identity using index %I', new_table, had.draft) where had.indisreplident
    loop
      execute command;
    end loop;
  end loop;
  perform set_config('default_tablespace', '', true);
  -- Settings of the table and its columns, row security, and who may do what.
  for command in
    select x.command
    from (
      select 1 as turn, format('alter table %s set (%s%s = %L)', new_table, o.prefix, split_part(o.option, '=', 1), substr(o.option, strpos(o.option, '=') + 1)) as command
      from (
        select '' as prefix, unnest(c.reloptions) as option from pg_class as c where c.oid = old_table
        union all
        select 'toast.', unnest(t.reloptions) from pg_class as c join pg_class as t on t.oid = c.reltoastrelid where c.oid = old_table
      ) as o
      union all
      select 1, format('alter table %s replica identity %s', new_table, case relreplident when 'f' then 'full' else 'nothing' end)
      from pg_class where oid = old_table and relreplident in ('f', 'n')
      union all
      select 1, format('alter table %s alter column %I set statistics %s', new_table, attname, attstattarget)
      from pg_attribute where attrelid = old_table and attnum > 0 and not attisdropped and attstattarget >= 0
      union all
      select 1, format('alter table %s alter column %I set (%s = %L)', new_table, a.attname, split_part(o.option, '=', 1), substr(o.option, strpos(o.option, '=') + 1))
      from pg_attribute as a, unnest(a.attoptions) as o (option)
      where a.attrelid = old_table and a.attnum > 0 and not a.attisdropped
      union all
      select 1, format('alter table %s enable row level security', new_table) from pg_class where oid = old_table and relrowsecurity
      union all
      select 1, format('alter table %s force row level security', new_table) from pg_class where oid = old_table and relforcerowsecurity
      union all
      select 1, format('comment on table %s is %L', new_table, obj_description(old_table, 'pg_class')) where obj_description(old_table, 'pg_class') is not null
      union all
      select 1, format('create policy %I on %s as %s for %s to %s', p.polname, new_table, case when p.polpermissive then 'permissive' else 'restrictive' end,
          case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end,
          (select string_agg(case r.oid when 0 then 'public' else quote_ident(pg_get_userbyid(r.oid)) end, ', ') from unnest(p.polroles) as r (oid)))
        || coalesce(' using (' || pg_get_expr(p.polqual, old_table) || ')', '') || coalesce(' with check (' || pg_get_expr(p.polwithcheck, old_table) || ')', '')
      from pg_policy as p where p.polrelid = old_table
      union all
      select 2, format('comment on policy %I on %s is %L', polname, new_table, obj_description(oid, 'pg_policy'))
      from pg_policy where polrelid = old_table and obj_description(oid, 'pg_policy') is not null
      union all
      select 3, format('revoke all on table %s from %s', new_table, case a.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end)
      from pg_class as c, aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) as a
      where c.oid = new_table
      union
      select 4, format('grant %s on table %s to %s%s', a.privilege_type, new_table, case a.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end,
        case when a.is_grantable and a.grantee <> c.relowner then ' with grant option' else '' end)
      from pg_class as c, aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) as a
      where c.oid = old_table
      union
      select 4, format('grant %s (%I) on table %s to %s%s', a.privilege_type, t.attname, new_table,
        case a.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end, case when a.is_grantable then ' with grant option' else '' end)
      from pg_attribute as t, aclexplode(t.attacl) as a
      where t.attrelid = old_table and t.attnum > 0 and not t.attisdropped
    ) as x
    order by x.turn, x.command
  loop
    execute command;
  end loop;
`;

/** Why no new table can take the place of `old_table`, into `reasons`; null when one can. */
export const unfitReasons: Sql = sql`
  select string_agg(r.reason, '; ' order by r.reason) into reasons
  from (
    select 'it is no ordinary table' as reason from pg_class where oid = old_table and (relkind <> 'r' or reloftype <> 0 or relpersistence <> 'p')
    union
    select 'it inherits from another table, or another from it' from pg_inherits where old_table in (inhrelid, inhparent)
    union
    select format('role %I, whose rights this session lacks, owns it', pg_get_userbyid(relowner))
    from pg_class
    where oid = old_table and not pg_has_role(relowner, 'USAGE')
    union
    select 'it belongs to an extension' from pg_depend where classid = 'pg_class'::regclass and objid = old_table and deptype = 'e'
    union
    select 'it has a security label' from pg_seclabel where classoid = 'pg_class'::regclass and objoid = old_table
    union
    select format('it is captured by trigger %I', t.tgname)
    from pg_trigger as t
    join pg_proc as f on f.oid = t.tgfoid
    where t.tgrelid = old_table and f.pronamespace = (select oid from pg_namespace where nspname = 'sarrio')
    union
    select format('index %s is not valid', indexrelid::regclass) from pg_index where indrelid = old_table and not indisvalid
    union
    select pg_describe_object(d.classid, d.objid, 0) || ' depends on it'
    from pg_depend as d
    where ((d.refclassid = 'pg_class'::regclass and d.refobjid = old_table)
        or (d.refclassid = 'pg_type'::regclass and d.refobjid in (
          select t.oid
          from pg_class as c
          join pg_type as r on r.oid = c.reltype
          join pg_type as t on t.oid in (r.oid, r.typarray)
          where c.oid = old_table
        )))
      and d.deptype <> 'i'
      and not case d.classid
        when 'pg_attrdef'::regclass then exists (select from pg_attrdef where oid = d.objid and adrelid = old_table)
        when 'pg_constraint'::regclass then exists (select from pg_constraint where oid = d.objid and conrelid = old_table)
        when 'pg_trigger'::regclass then exists (select from pg_trigger where oid = d.objid and tgrelid = old_table)
        when 'pg_policy'::regclass then exists (select from pg_policy where oid = d.objid and polrelid = old_table)
        when 'pg_statistic_ext'::regclass then exists (select from pg_statistic_ext where oid = d.objid and stxrelid = old_table)
        when 'pg_class'::regclass then exists (select from pg_index where indexrelid = d.objid and indrelid = old_table)
          or exists (select from pg_class where oid = d.objid and relkind = 'S' and d.deptype = 'a')
        else false
      end
  ) as r;
`;

/** What names the table, as it will be said when the new one has its name, into `commands`. */
export const commandsAfter: Sql = sql`
  -- What will be said once the old table is gone, in this order.
  select array_agg(c.command order by c.turn, c.command) into commands
  from (
    select 1 as turn, format('alter table %s rename to %I', new_table, relname) as command from pg_class where oid = old_table
    union all
    select 2, format('alter table %s rename constraint %I to %I', old_table, 'swap__' || oid, conname)
    from pg_constraint
    where conrelid = old_table and contype in ('p', 'u', 'x')
    union all
    select 2, format('alter index %I.%I rename to %I', n.nspname, 'swap__' || c.oid, c.relname)
    from pg_index as i
    join pg_class as c on c.oid = i.indexrelid
    join pg_namespace as n on n.oid = c.relnamespace
    where i.indrelid = old_table and not exists (select from pg_constraint where conindid = i.indexrelid and conrelid = old_table)
    union all
    select 3, format('alter sequence %s rename to %I', b.seq, a.relname)
    from (
      select d.refobjsubid, c.relname, t.attname
      from pg_depend as d
      join pg_class as c on c.oid = d.objid and c.relkind = 'S'
      join pg_attribute as t on t.attrelid = old_table and t.attnum = d.refobjsubid
      where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid = old_table and d.deptype = 'i'
    ) as a
    cross join lateral (select pg_get_serial_sequence(new_table::text, a.attname) as seq) as b
    union all
    select 4, pg_get_triggerdef(oid) from pg_trigger where tgrelid = old_table and not tgisinternal
    union all
    select 5, format('alter table %s %s trigger %I', old_table, case tgenabled when 'D' then 'disable' when 'A' then 'enable always' else 'enable replica' end, tgname)
    from pg_trigger
    where tgrelid = old_table and not tgisinternal and tgenabled <> 'O'
    union all
    select 5, format('comment on trigger %I on %s is %L', tgname, old_table, obj_description(oid, 'pg_trigger'))
    from pg_trigger
    where tgrelid = old_table and not tgisinternal and obj_description(oid, 'pg_trigger') is not null
    union all
    select 4, format('alter table %s add constraint %I %s not valid', old_table, conname, regexp_replace(pg_get_constraintdef(oid), ' NOT VALID$', ''))
    from pg_constraint
    where conrelid = old_table and contype = 'f'
    union all
    select 5, format('comment on constraint %I on %s is %L', conname, old_table, obj_description(oid, 'pg_constraint'))
    from pg_constraint
    where conrelid = old_table and contype = 'f' and obj_description(oid, 'pg_constraint') is not null
    union all
    select 4, pg_get_statisticsobjdef(oid) from pg_statistic_ext where stxrelid = old_table
    union all
    select 5, format('alter statistics %I.%I set statistics %s', n.nspname, x.stxname, x.stxstattarget)
    from pg_statistic_ext as x
    join pg_namespace as n on n.oid = x.stxnamespace
    where x.stxrelid = old_table and x.stxstattarget >= 0
    union all
    select 5, format('comment on statistics %I.%I is %L', n.nspname, x.stxname, obj_description(x.oid, 'pg_statistic_ext'))
    from pg_statistic_ext as x
    join pg_namespace as n on n.oid = x.stxnamespace
    where x.stxrelid = old_table and obj_description(x.oid, 'pg_statistic_ext') is not null
  ) as c;
`;
