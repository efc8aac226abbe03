import { expect, test } from 'vitest';
import { differingRows } from '../support/compare.ts';
import { copied } from '../support/copying.ts';
import type { TestDatabase } from '../support/database.ts';
import { catchUp, copyOnce } from '../support/follow.ts';

/** All that a table can have, as the catalog says it, without oids. */
const EVERYTHING = `
  select json_agg(x.line order by x.line) as lines from (
    select 'index ' || pg_get_indexdef(indexrelid) || indisclustered || indisreplident || coalesce(obj_description(indexrelid, 'pg_class'), '') as line
    from pg_index where indrelid = 'public.t'::regclass
    union all
    select 'constraint ' || conname || pg_get_constraintdef(oid) || convalidated || coalesce(obj_description(oid, 'pg_constraint'), '')
    from pg_constraint where conrelid = 'public.t'::regclass
    union all
    select 'trigger ' || pg_get_triggerdef(oid) || tgenabled::text || coalesce(obj_description(oid, 'pg_trigger'), '')
    from pg_trigger where tgrelid = 'public.t'::regclass and not tgisinternal
    union all
    select 'policy ' || polname || polcmd::text || polpermissive || pg_get_expr(polqual, polrelid) || coalesce(pg_get_expr(polwithcheck, polrelid), '')
      || coalesce(obj_description(oid, 'pg_policy'), '') || (select string_agg(r::regrole::text, ',') from unnest(polroles) as r)
    from pg_policy where polrelid = 'public.t'::regclass
    union all
    select 'column ' || attname || format_type(atttypid, atttypmod) || attnotnull || attidentity::text || attgenerated::text || attstorage::text
      || coalesce(attstattarget::text, '') || coalesce(attoptions::text, '') || coalesce(attacl::text, '') || coalesce(col_description(attrelid, attnum), '')
      || coalesce(pg_get_expr(d.adbin, d.adrelid), '') || attcompression::text
    from pg_attribute as a left join pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where a.attrelid = 'public.t'::regclass and attnum > 0 and not attisdropped
    union all
    select 'table ' || relowner::regrole || coalesce((select string_agg(x::text, ',' order by x::text) from unnest(relacl) as x), '') || coalesce(reloptions::text, '')
      || relreplident::text || relrowsecurity || relforcerowsecurity || coalesce(obj_description(oid, 'pg_class'), '')
    from pg_class where oid = 'public.t'::regclass
    union all
    select 'statistics ' || pg_get_statisticsobjdef(oid) || coalesce(obj_description(oid, 'pg_statistic_ext'), '') from pg_statistic_ext where stxrelid = 'public.t'::regclass
    union all
    select 'sequence ' || c.relname || d.deptype::text || d.refobjsubid || s.seqincrement
    from pg_depend as d join pg_class as c on c.oid = d.objid and c.relkind = 'S' join pg_sequence as s on s.seqrelid = c.oid
    where d.refobjid = 'public.t'::regclass and d.deptype in ('a', 'i')
  ) as x
`;

const RICH = `
  create table other (id integer primary key);
  create function noted() returns trigger language plpgsql as $$ begin return new; end $$;
  create table t (
    id integer generated always as identity (increment by 5), s serial, o integer references other (id) on delete cascade,
    up integer, v varchar(20) default 'x' check (length(v) < 15), w text collate "C", n numeric not null, d numeric generated always as (n * 2) stored,
    during int4range, constraint t_key primary key (id), constraint t_w unique (w, n) include (v) deferrable initially deferred,
    constraint t_during exclude using gist (during with &&), constraint positive check (n > 0)
  ) with (fillfactor = 70, autovacuum_enabled = false);
  alter table t add constraint t_up foreign key (up) references t (id) deferrable;
  create unique index "T Partial" on t (lower(v)) where n > 10;
  create index t_desc on t (n desc nulls last, (v || w)) with (fillfactor = 60);
  create index t_gin on t using gin (to_tsvector('simple', v));
  alter table t alter n set statistics 300, alter w set storage external, alter n set (n_distinct = -0.5);
  alter index t_gin alter column 1 set statistics 50;
  create statistics t_stats on n, o from t;
  create trigger noted before insert or update of v on t for each row when (new.n > 1) execute function noted();
  create trigger quiet after delete on t execute function noted();
  create constraint trigger late after update on t deferrable for each row execute function noted();
  alter table t disable trigger quiet; alter table t enable replica trigger noted;
  alter table t cluster on t_desc; alter table t replica identity using index t_key;
  alter table t enable row level security; alter table t force row level security;
  create policy mine on t as restrictive for update to ROLE, public using (n > 1) with check (n > 2);
  create policy all_of_it on t using (true);
  grant select, insert on t to ROLE; grant update (v) on t to ROLE with grant option; grant select on t to public;
  comment on table t is 'table'; comment on column t.v is 'column'; comment on constraint t_w on t is 'unique'; comment on index t_desc is 'index';
  comment on trigger quiet on t is 'trigger'; comment on policy mine on t is 'policy'; comment on constraint t_up on t is 'reference';
  comment on constraint positive on t is 'check'; comment on statistics t_stats is 'statistics';
`;

async function everything(target: TestDatabase): Promise<readonly string[]> {
  const [row] = await target.query<{ lines: string[] }>(EVERYTHING);
  return row?.lines ?? [];
}

test('the new table has all that the old one had, twice over', async () => {
  const source = 'create table t (id integer primary key, s integer, o integer, up integer, v varchar(20), w text, n numeric not null, during int4range);';
  const role = 'pg_monitor';
  const { source: from, target, project } = await copied(source, { method: 'swap', targetSchema: RICH.replaceAll('ROLE', role), tables: ['public.t'] });
  await target.script(`insert into other select generate_series(1, 9); select setval('t_s_seq', 41); insert into t (v, w, n) values ('a', 'b', 1)`);
  await from.script(
    "insert into t select g, g, g % 9 + 1, case when g > 1 then g - 1 end, 'v' || g, 'w', g, int4range(g, g + 1) from generate_series(1, 200) g",
  );
  const before = await everything(target);
  expect(before.length).toBeGreaterThan(30);
  for (const copy of [catchUp, copyOnce]) {
    await copy(project);
    expect(await everything(target)).toEqual(before);
    expect(
      await differingRows(from, target, { source: 'public.t', target: 'public.t', columns: { id: 'id', v: 'v', n: 'n', up: 'up', during: 'during' } }),
    ).toEqual([]);
  }
  expect(
    await target.query(
      "select nextval('t_s_seq')::int as s, nextval('t_id_seq')::int as id, (select count(*)::int from pg_class where relname like 'swap\\_\\_%') as left",
    ),
  ).toEqual([{ s: 42, id: 6, left: 0 }]);
});

test('what depends on the table is refused by its name, with the old rows in place', async () => {
  const { source, target, project } = await copied('create table t (id integer primary key);', { method: 'swap', tables: ['public.t'] });
  await target.script(`insert into t values (7); create view seen as select id from t; create table child (id integer references t);
    create publication named for table t; create rule r as on delete to t do instead nothing; create function f(t) returns integer language sql as 'select 1'`);
  await source.script('insert into t values (1)');
  await expect(catchUp(project)).rejects.toThrow(
    /public\.t cannot be swapped for a new table: constraint child_id_fkey on table public\.child depends on it; function public\.f\(public\.t\) depends on it; publication of table public\.t in publication named depends on it; rule _RETURN on view public\.seen depends on it; rule r on table public\.t depends on it/,
  );
  expect(await target.query('select id from t')).toEqual([{ id: 7 }]);
});

test('a foreign key that the rows break is said, and the old rows stay', async () => {
  const { source, target, project } = await copied('create table t (id integer primary key, o integer);', {
    method: 'swap',
    tables: ['public.t'],
    targetSchema: 'create table other (id integer primary key); create table t (id integer primary key, o integer constraint to_other references other);',
  });
  await target.script('insert into other values (1); insert into t values (1, 1)');
  await source.script('insert into t values (1, 1), (2, 2)');
  await expect(catchUp(project)).rejects.toThrow('foreign key to_other of public.t does not hold: a row points to one that is not in public.other');
  expect(await target.query('select id from t')).toEqual([{ id: 1 }]);
  await target.query('insert into other values (2)');
  await catchUp(project);
  expect(await target.query('select id from t order by id')).toEqual([{ id: 1 }, { id: 2 }]);
});

test('a reader with an older snapshot finds rows, and one that holds the table only lets the swap wait', async () => {
  const { source, target, project } = await copied('create table t (id integer primary key);', { method: 'swap', tables: ['public.t'], lockTimeout: '20ms' });
  await source.script('insert into t select generate_series(1, 5)');
  await target.script('insert into t values (9)');
  const [old, holder] = [await target.connect(), await target.connect()];
  try {
    await old.query('begin isolation level repeatable read; select pg_current_snapshot()');
    await holder.query('begin; select * from t');
    const copy = catchUp(project);
    await expect
      .poll(
        async () =>
          (
            await target.query(
              "select count(*)::int as n from pg_stat_activity where datname = current_database() and state = 'idle in transaction' and application_name = 'sarrio target'",
            )
          )[0]?.['n'],
      )
      .toBe(1);
    expect((await target.query('select id from t')).length).toBe(1);
    await holder.query('commit');
    expect((await copy).some(({ kind }) => kind === 'full-copy-finished')).toBe(true);
    expect((await old.query('select id from t')).rowCount).toBe(5);
  } finally {
    await Promise.all([old.end(), holder.end()]);
  }
});
