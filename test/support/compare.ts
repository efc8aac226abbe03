import type { ClientBase } from 'pg';
import type { TestDatabase } from './database.ts';

/** A table by its SQL name when it is the same on both sides, or what to compare with what. */
export type Compared =
  | string
  | {
      readonly source: string;
      /** The source's name by default. */
      readonly target?: string;
      /** Target column -> SQL expression on the source. All columns of the target, by name, by default. */
      readonly columns?: Readonly<Record<string, string>>;
      /** Row filter on the source. */
      readonly where?: string;
    };

type Reading = { readonly client: ClientBase; readonly query: string };

const PINNED = `set timezone = 'UTC'; set datestyle = 'ISO, YMD'; set intervalstyle = 'postgres'; set extra_float_digits = 3;
  set bytea_output = 'hex'; set row_security = off; set search_path = '';`;

const FETCH = 5_000;
const SHOWN = 20;

/** Whether all rows of the tables are the same. */
export async function tablesEqual(source: TestDatabase, target: TestDatabase, ...tables: readonly Compared[]): Promise<boolean> {
  return (await differingRows(source, target, ...tables)).length === 0;
}

/**
 * Compares all rows of the tables, every column as text, and returns those that only one side has (the first 20 of each table),
 * an empty list when all are equal. A hash over each side's rows decides; only unequal tables are sorted and walked.
 */
export async function differingRows(source: TestDatabase, target: TestDatabase, ...tables: readonly Compared[]): Promise<readonly string[]> {
  return source.lease((left) =>
    target.lease(async (right) => {
      const clients = [left, right] as const;
      for (const client of clients) await client.query(PINNED);
      const lists: string[] = [];
      for (const table of tables) lists.push(...(await differencesOf(clients, table)));
      return lists;
    }),
  );
}

async function differencesOf([source, target]: readonly [ClientBase, ClientBase], table: Compared): Promise<string[]> {
  const { source: from, target: to = from, where, columns } = typeof table === 'string' ? { source: table } : table;
  const pairs = Object.entries(columns ?? (await columnsOf(target, to)));
  const left = { client: source, query: rowsQuery({ from, where, expressions: pairs.map(([, expression]) => expression) }) };
  const right = { client: target, query: rowsQuery({ from: to, where: undefined, expressions: pairs.map(([name]) => quoted(name)) }) };
  const [hashed, expected] = await Promise.all([hashOf(left), hashOf(right)]);
  if (hashed === expected) return [];
  return (await walk(left, right)).map((line) => `${to}: ${line}`);
}

async function columnsOf(client: ClientBase, table: string): Promise<Record<string, string>> {
  const { rows } = await client.query<{ name: string }>(
    'select attname as name from pg_catalog.pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum',
    [table],
  );
  return Object.fromEntries(rows.map(({ name }) => [name, quoted(name)]));
}

function rowsQuery(parts: { from: string; where: string | undefined; expressions: readonly string[] }): string {
  const condition = parts.where ? ` where ${parts.where}` : '';
  return `select row(${parts.expressions.map((expression) => `(${expression})::text`).join(', ')})::text as line from ${parts.from}${condition}`;
}

async function hashOf({ client, query }: Reading): Promise<string> {
  const { rows } = await client.query<{ hash: string }>(
    `select concat_ws(' ', count(*), sum(hashtextextended(line, 0)::numeric), sum(hashtextextended(line, 1)::numeric)) as hash from (${query}) as r`,
  );
  return rows[0]?.hash ?? '';
}

/** Merges the two sorted lists, a few thousand rows of each in memory at a time. */
async function walk(left: Reading, right: Reading): Promise<string[]> {
  const [ours, theirs] = [sortedLines(left), sortedLines(right)];
  const found: string[] = [];
  let [a, b] = await Promise.all([ours.next(), theirs.next()]);
  while (found.length < SHOWN && (!a.done || !b.done)) {
    const order = a.done ? 1 : b.done ? -1 : Buffer.compare(Buffer.from(a.value), Buffer.from(b.value));
    if (order < 0) found.push(`only at the source ${a.value}`);
    if (order > 0) found.push(`only at the target ${b.value}`);
    if (order <= 0) a = await ours.next();
    if (order >= 0) b = await theirs.next();
  }
  await Promise.all([ours.return(''), theirs.return('')]);
  return found;
}

async function* sortedLines({ client, query }: Reading): AsyncGenerator<string, string> {
  await client.query(`begin; declare sorted_lines cursor for select line from (${query}) as r order by line collate "C"`);
  try {
    for (;;) {
      const { rows } = await client.query<{ line: string }>(`fetch ${FETCH} from sorted_lines`);
      if (rows.length === 0) return '';
      for (const { line } of rows) yield line;
    }
  } finally {
    await client.query('rollback');
  }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
