/**
 * Purpose: tables between masters whose rows carry the trail of all writes that made them, and what an application does to them.
 * Reads, writes: the soak's databases. Called by: `masters.ts`, `traced-writers.ts`, `accounts.ts`.
 *
 * Each write adds its token to the rows that it writes, so a row tells which writes its last writer has seen. A transaction that takes rows
 * away writes their trails into `gone` first. A token that is in no row, in no version of a recorded conflict and in no `gone` is lost.
 */
export const TRACED = ['latest', 'earliest', 'ranked', 'merged', 'unique_mail'] as const;
export type Traced = (typeof TRACED)[number];

/** Besides their key: an e-mail address that each member gives away without asking the others. */
const MORE: Partial<Record<Traced, string>> = { unique_mail: ', mail text unique' };

/** `begun` and `ended` get one line each in every transaction, so that whoever sees more of one has seen half a transaction. */
export const TRACED_SCHEMA = `
  ${TRACED.map((table) => `create table ${table} (id integer primary key, trail text not null${MORE[table] ?? ''});`).join('\n  ')}
  create table child (id integer primary key, parent integer not null references latest on update cascade on delete cascade, note text);
  create table gone (writer text, n integer, rows jsonb not null, primary key (writer, n));
  create table begun (writer text, n integer, primary key (writer, n));
  create table ended (writer text, n integer, primary key (writer, n));
  create table marks (what text primary key);
`;

export const TRACED_TABLES = [...TRACED, 'child', 'gone', 'begun', 'ended', 'marks'].map((table) => `public.${table}`);

/** Beyond the keys that are inserted: where rows go whose key changes. They never come back. */
export const MOVED = 1_000;

/** One statement; a writing one returns the tokens that it has put into rows. */
export type Step = string;

const token = (name: string, key: string): string => `'${name}.' || ${key}`;

export const put = (table: Traced, name: string, key: number): Step =>
  `insert into ${table} as t values (${key}, ${token(name, `${key}`)}) on conflict (id) do update set trail = t.trail || ' ' || excluded.trail
  returning ${token(name, 'id')} as token`;

/** Refused where this member knows that the address is taken. */
export const claim = (name: string, key: number, mail: number): Step =>
  `insert into unique_mail as t values (${key}, ${token(name, `${key}`)}, 'mail${mail}')
  on conflict (id) do update set trail = t.trail || ' ' || excluded.trail, mail = excluded.mail returning ${token(name, 'id')} as token`;

export const touch = (table: Traced, name: string, key: number): Step =>
  `update ${table} set trail = trail || ' ' || ${token(name, 'id')} where id in (${key}, ${key + 1}, ${key + MOVED}) returning ${token(name, 'id')} as token`;

export const move = (table: Traced, name: string, key: number): Step =>
  `update ${table} as t set id = id + ${MOVED}, trail = trail || ' ' || ${token(name, 'id')}
  where id = ${key} and not exists (select from ${table} as m where m.id = ${key + MOVED}) returning ${token(name, `(id - ${MOVED})`)} as token`;

const NOTED = (table: Traced): string => `jsonb_agg(jsonb_build_object('table', '${table}', 'id', id, 'trail', trail))`;

export const remove = (table: Traced, { writer, n, key }: { writer: string; n: number; key: number }): Step =>
  `with taken as (delete from ${table} where id in (${key}, ${key + MOVED}) returning id, trail)
  insert into gone select '${writer}', ${n}, ${NOTED(table)} from taken having count(*) > 0 returning null::text as token`;

export const truncate = (table: Traced, { writer, n }: { writer: string; n: number }): readonly Step[] => [
  `lock table ${table} in access exclusive mode`,
  `insert into gone select '${writer}', ${n}, ${NOTED(table)} from ${table} having count(*) > 0`,
  `truncate ${table}`,
];

export const addChild = (name: string, key: number): Step =>
  `insert into child select ${key}, id, '${name}' from latest where id = ${key} on conflict (id) do update set note = excluded.note, parent = excluded.parent`;
export const removeChild = (key: number): Step => `delete from child where id = ${key}`;

export const begunLine = (writer: string, n: number): Step => `insert into begun values ('${writer}', ${n})`;
export const endedLine = (writer: string, n: number): Step => `insert into ended values ('${writer}', ${n})`;

/** Half transactions, in one snapshot: 0 unless a round was seen half. */
export const HALVES = 'select (select count(*) from begun)::int - (select count(*) from ended)::int as half';

export const TRAILS = (table: Traced): string => `select id, trail from ${table}`;
export const GONE = `select g.writer, g.n, r->>'table' as "table", (r->>'id')::int as id, r->>'trail' as trail from gone as g, jsonb_array_elements(g.rows) as r`;
export const ENDED = 'select writer, n from ended';
export const ARRIVED_TWICE = 'select member, n from arrived group by member, n having count(*) > 1';
export const JOURNAL = 'select member, n::int as n from journal';
export const CONFLICTS = `
  select id::text as id, relation, key->>'id' as key, kind, decision, versions, (extract(epoch from decided_at) * 1000000)::bigint::text as at
  from sarrio.conflict
`;
export const MASTER_ROUNDS = 'select sum(applied_rounds)::int as rounds, sum(applied_rows)::int as rows from sarrio.watermark';
