import type { QualifiedName } from '../../../sql/quote.ts';
import { textArray } from '../../postgres/text-array.ts';
import type { Statement } from '../../postgres/statement.ts';

/**
 * Purpose: whether users' tables are what the plan was compiled for, asked within the statements of a round, and what is kept of those that
 * are not. Reads: pg_catalog, sarrio.watermark. Writes: sarrio.initial_copy. Called by: `reading.ts`, `apply-round.ts`, `table-watch.ts`.
 *
 * A token is not compared with the plan: as long as it stays the same, so does what was found when the table was last looked at exactly.
 * It holds the number of each column, too: a column that was dropped and made again is another one.
 */
const TOKENS = `
  select w.place - 1 as place, concat_ws(' ', c.oid, c.relkind, c.relrowsecurity, (
      select bit_xor(hash_record_extended(row(a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull, a.attidentity, a.attgenerated, a.atthasdef), 0))
      from pg_attribute as a
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    ), (
      select bit_xor(hash_record_extended(row(i.indexrelid, i.indisvalid, i.indkey::text), 0))
      from pg_index as i
      where i.indrelid = c.oid and i.indisunique
    )) as token
  from unnest($1::text[], $2::text[]) with ordinality as w (schema, name, place)
  left join pg_namespace as n on n.nspname = w.schema
  left join pg_class as c on c.relnamespace = n.oid and c.relname = w.name
`;

/** By place in the list: what the catalog says of each table in this snapshot, in short. */
export function readTokens(tables: readonly QualifiedName[]): Statement {
  return { name: 'sarrio_tokens', text: TOKENS, values: namesOf(tables) };
}

export const TABLES_CHANGED = 'sarrio.tables_have_changed';

/** Fails the transaction where a token is another one: then the commit may be on its way before we have the answer. */
export function guardTokens(tables: readonly QualifiedName[], tokens: readonly string[]): Statement {
  return {
    name: 'sarrio_guard_tokens',
    text: `select case
        when (select array_agg(t.token order by t.place) from (${TOKENS}) as t) is not distinct from nullif($3::text[], '{}') then true
        else current_setting('${TABLES_CHANGED}')::boolean
      end`,
    values: [...namesOf(tables), textArray(tokens)],
  };
}

/** A column under its present name, whatever the snapshot says. */
const IS_RENAMED = `exists (
    select from pg_attribute as a
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      and (pg_identify_object('pg_class'::regclass, c.oid, a.attnum)).identity is distinct from format('%I.%I.%I', n.nspname, c.relname, a.attname)
  )`;

/** Rewritten since: to the snapshot its new file is empty. */
const IS_REWRITTEN = "c.relkind in ('r', 'm') and pg_relation_filenode(c.oid) is distinct from c.relfilenode";

/**
 * To be asked after tables were read: which of them are no longer what this snapshot shows. ALTER TABLE that rewrites a table, TRUNCATE and
 * renaming are not for snapshots: a statement of an older one finds the table empty, or another one under its name. The functions here read
 * the catalog as it is now; the locks that the reading statements took let nobody change it any more.
 */
const NOT_AS_SEEN = `
  select distinct format('%I.%I', w.schema, w.name)
  from unnest($1::text[], $2::text[]) as w (schema, name)
  left join pg_namespace as r on r.nspname = w.schema
  left join pg_class as t on t.relnamespace = r.oid and t.relname = w.name
  left join lateral (
    with recursive below (oid) as (
      select t.oid
      union all
      select i.inhrelid from below as b join pg_inherits as i on i.inhparent = b.oid
    )
    select b.oid from below as b
  ) as b on true
  left join pg_class as c on c.oid = b.oid
  left join pg_namespace as n on n.oid = c.relnamespace
  where to_regclass(format('%I.%I', w.schema, w.name))::oid is distinct from t.oid or (${IS_REWRITTEN}) or ${IS_RENAMED}
`;

export function notAsSeen(tables: readonly QualifiedName[]): Statement {
  return { name: 'sarrio_not_as_seen', text: NOT_AS_SEEN, values: namesOf(tables) };
}

/** The same of every relation of users' that this transaction has read, also through views. What its snapshot does not know at all came later. */
export const nothingAsSeen: Statement = {
  name: 'sarrio_nothing_as_seen',
  text: `
    select format('%I.%I', n.nspname, c.relname)
    from pg_locks as l
    join pg_class as c on c.oid = l.relation
    join pg_namespace as n on n.oid = c.relnamespace
    where l.pid = pg_backend_pid() and l.locktype = 'relation' and l.database = (select oid from pg_database where datname = current_database())
      and n.nspname not in ('sarrio', 'information_schema') and n.nspname !~ '^pg_'
      and c.relkind in ('r', 'p', 'm') and ((${IS_REWRITTEN}) or ${IS_RENAMED})
    union
    select (pg_identify_object('pg_class'::regclass, l.relation, 0)).identity
    from pg_locks as l
    where l.pid = pg_backend_pid() and l.locktype = 'relation' and l.database = (select oid from pg_database where datname = current_database())
      and not exists (select from pg_class as c where c.oid = l.relation)
  `,
};

/**
 * Tables that the round leaves out while the watermark moves on: from now on each has a position of its own, the one that it stands at.
 * $3: JSON array of {"relation", "position"}.
 */
export function holdTables(names: { readonly sync: string; readonly source: string }, held: readonly HeldTable[]): Statement {
  return {
    text: `
      update sarrio.initial_copy as c set position = h.position, is_joined = false
      from json_to_recordset($3::json) as h (relation text, position text)
      where c.sync = $1 and c.source = $2 and c.relation = h.relation and c.is_joined
    `,
    values: [names.sync, names.source, JSON.stringify(held)],
  };
}

/** A table that does not go on with the others, and where it stands. */
export type HeldTable = { readonly relation: string; readonly position: string };

/** Which of the tables point to which others by a foreign key: places in the list. */
export function readReferences(tables: readonly QualifiedName[]): Statement {
  return {
    text: `
      with w as (
        select w.place - 1 as place, c.oid
        from unnest($1::text[], $2::text[]) with ordinality as w (schema, name, place)
        join pg_namespace as n on n.nspname = w.schema
        join pg_class as c on c.relnamespace = n.oid and c.relname = w.name
      )
      select distinct f.place, t.place
      from pg_constraint as k
      join w as f on f.oid = k.conrelid
      join w as t on t.oid = k.confrelid
      where k.contype = 'f' and f.place <> t.place
    `,
    values: namesOf(tables),
  };
}

/** For `status`. $1: sync, $2: relation, $3 to $6: code, message, hint, key as JSON. */
export const noteStopped = `
  insert into sarrio.stopped as s (sync, relation, code, message, hint, key) values ($1, $2, $3, $4, $5, $6::jsonb)
  on conflict (sync, relation) do update set code = excluded.code, message = excluded.message, hint = excluded.hint, key = excluded.key
`;

/** $1: sync, $2: relations, or null for all. */
export const noteGoing = 'delete from sarrio.stopped where sync = $1 and ($2::text[] is null or relation = any ($2::text[]))';

function namesOf(tables: readonly QualifiedName[]): readonly [string, string] {
  return [textArray(tables.map(({ schema }) => schema)), textArray(tables.map(({ name }) => name))];
}
