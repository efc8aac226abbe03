import type { TestDatabase } from './database.ts';

/** One table for each kind of key that Bucardo's own tests use, names with capitals and spaces among them: SQL name, key columns, key of row n. */
const TABLES: readonly (readonly [table: string, keys: string, key: (n: number) => string])[] = [
  ['by_smallint', 'id smallint', (n) => `${n}`],
  ['by_pair', 'id integer, word text', (n) => `${1_234_567 + n}, 'foo'`],
  ['"By_Bigint"', 'id bigint', (n) => `${7_777_777_777 + n}`],
  ['by_text', 'id text', (n) => `'\\Pbc''${n}'`],
  ['by_date', '"the id" date', (n) => `'2001-10-${String(n).padStart(2, '0')}'`],
  ['by_timestamp', 'id timestamp', (n) => `'2001-10-${String(n).padStart(2, '0')} 12:34:56'`],
  ['by_numeric', 'id numeric', (n) => `${n + 0.7}`],
  ['by_bytea', 'id bytea', (n) => `'\\x${Buffer.from(`${n}\0Z`).toString('hex')}'`],
  ['by_domain', 'id int_unsigned', (n) => `${5_000 + n}`],
  ['by_timestamptz', 'id timestamptz', (n) => `'2001-10-${String(n).padStart(2, '0')} 11:22:33+00'`],
  ['"by a name with spaces"', 'id integer', (n) => `${1_234_567 + n}`],
];

const columnOf = (keys: string): string =>
  keys
    .split(', ')
    .map((each) => each.slice(0, each.lastIndexOf(' ')))
    .join(', ');

/** SQL names with their schema. */
export const ELEVEN = TABLES.map(([table]) => `public.${table}`);

/** Each with a trigger and a rule that would leave a trace where a replicated row made them fire. */
export const ELEVEN_SCHEMA = `
  create domain int_unsigned as integer check (value >= 0);
  create table fired (what text);
  create function note_firing() returns trigger language plpgsql as 'begin insert into public.fired values (''trigger''); return null; end';
  ${TABLES.map(
    ([table, keys]) => `
    create table ${table} (${keys}, data1 text, inty smallint, booly boolean, bite bytea, email text unique, primary key (${columnOf(keys)}));
    create trigger note_firing after insert or update on ${table} for each row execute function note_firing();
    create rule note_firing as on insert to ${table} do also insert into fired values ('rule');`,
  ).join('')}
`;

/** Row n in every table, written by this database: the same key wherever it is written, another row. */
export function addRows(database: TestDatabase, by: string, ...numbers: readonly number[]): Promise<void> {
  const rows = (key: (n: number) => string): string =>
    numbers.map((n) => `(${key(n)}, '${by}', ${n}, ${n % 2 === 0}, '\\x00${n % 10}f', '${by}.${n}@example.org')`).join(', ');
  return database.script(TABLES.map(([table, , key]) => `insert into ${table} values ${rows(key)};`).join(''));
}

export function removeRows(database: TestDatabase, ...numbers: readonly number[]): Promise<void> {
  return database.script(TABLES.map(([table]) => `delete from ${table} where inty in (${numbers.join(', ')});`).join(''));
}

export function truncateAll(database: TestDatabase): Promise<void> {
  return database.script(TABLES.map(([table]) => `truncate ${table};`).join(''));
}

/** The numbers of the rows, which must be the same in all eleven tables. */
export async function numbersAt(database: TestDatabase): Promise<readonly number[]> {
  const lists = TABLES.map(([table]) => `select coalesce(array_agg(inty::int order by inty), '{}') as list from ${table}`);
  const found = await database.query<{ list: readonly number[] }>(`select distinct list from (${lists.join(' union all ')}) as l`);
  if (found.length !== 1) throw new Error(`the tables hold different rows: ${JSON.stringify(found)}`);
  return found[0]?.list ?? [];
}
