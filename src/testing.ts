import type { ColumnValue, ConflictAnswer, RowValues } from './conflict/handlers/answers.ts';
import type { ConflictHandler, Operation } from './conflict/handlers/conflict.ts';
import { failureText, type HandlerDecision, judge } from './conflict/handlers/judge.ts';
import { type ConflictMessage, conflictMessage, type HandlerConflict, type HandlerShape } from './conflict/handlers/message.ts';
import type { ExceptionAnswer, Failure, FailureError } from './conflict/handlers/failure.ts';
import type { JudgedChange } from './conflict/handlers/judge-changes.ts';
import { type FailureMessage, failureMessage, type HandlerException, judgeException } from './conflict/handlers/judge-failure.ts';
import type { UniqueAnswer, UniqueClash } from './conflict/handlers/clash.ts';
import { type ClashMessage, clashMessage, type HandlerClash, judgeClash } from './conflict/handlers/judge-clash.ts';
import { answerOf, conflictOf } from './conflict/handlers/realm.mjs';
import { textOf } from './conflict/handlers/values.ts';
import type { RowText } from './conflict/row-text.ts';

/** What one database holds in a test. */
export type TestVersion<Row extends object = RowValues> = {
  readonly database: string;
  /** Null where the row was deleted. */
  readonly row: Row | null;
  /** `2026-11-26T17:02:44.123456Z`, with up to six digits of a second. Without it each version is a second later than the one before. */
  readonly time?: string;
  /** `update` by default, `delete` where there is no row. */
  readonly operation?: Operation;
};

export type TestConflict<Row extends object = RowValues> = {
  readonly handler: (conflict: Parameters<ConflictHandler<Row>>[0]) => ConflictAnswer<Row>;
  /** The columns of the key by name; the values are those of the rows. */
  readonly key: readonly (keyof Row & string)[];
  readonly versions: readonly TestVersion<Row>[];
  /** What all of them held before they went apart; null, as where nobody knows of it, by default. */
  readonly common?: Row | null;
  /** `public.orders` by default. */
  readonly table?: string;
  /** Types by column, as `\d` shows them, for those that the values do not tell: text is taken for `text`, numbers for `integer` or `double precision`. */
  readonly types?: Readonly<Record<string, string>>;
  /** All databases of the sync, if there are others than those of the versions. */
  readonly databases?: readonly string[];
};

/** What a handler decided. `row` is the whole row that every database gets. */
export type TestedDecision =
  | { readonly kind: 'take'; readonly database: string }
  | { readonly kind: 'merge'; readonly row: Readonly<Record<string, string | null>> }
  | { readonly kind: 'remove' }
  | { readonly kind: 'skip' };

/**
 * Asks a handler about a conflict and holds its answer against it as the runner does. Rows come to the handler as they would from the
 * server, and a merged row goes out as PostgreSQL's text.
 *
 * @throws Error with the runner's own message, when the answer is none that the runner would take
 */
export function testConflict<Row extends object = RowValues>(test: TestConflict<Row>): TestedDecision {
  const shape = shapeOf(test);
  const common = test.common ? conflictFor({ versions: [{ database: shape.databases[0] ?? '', row: test.common }] }, shape).versions[0]?.row : null;
  const conflict = { ...conflictFor(test, shape), common: common ?? null };
  const message: unknown = JSON.parse(JSON.stringify(conflictMessage(shape, conflict)));
  const answer = answerOf((test.handler as ConflictHandler)(conflictOf(message as ConflictMessage)));
  const outcome = judge(shape, conflict, answer);
  if (outcome.kind === 'failure') throw new Error(failureText(outcome));
  return tested(shape, outcome);
}

/** A row that `database` does not take; `rows` are what the databases hold under its key, null where they hold nothing. */
export type TestException<Row extends object = RowValues> = Pick<TestConflict<Row>, 'key' | 'table' | 'types' | 'databases'> & {
  readonly handler: (failure: Failure<Row>) => ExceptionAnswer;
  readonly database: string;
  readonly error: Pick<FailureError, 'code'> & Partial<FailureError>;
  readonly rows: Readonly<Record<string, Row | null>>;
  /** When a database's row was last changed, as for `TestVersion`; not said: everybody has heard of it. */
  readonly times?: Readonly<Record<string, string>>;
  /** The row that it does not take; by default that of the first other database, or null where that has none. */
  readonly arriving?: Row | null;
  /** What stands in its way at `database`, with what all databases hold of it; by default the same row everywhere. */
  readonly inTheWay?: readonly { readonly row: Row; readonly rows?: Readonly<Record<string, Row | null>> }[];
  /** 0 by default. */
  readonly tries?: number;
  /** Other tables of the sync whose rows the handler changes. */
  readonly tables?: Readonly<Record<string, TestTable>>;
};

/** Types by column, as `\d` shows them. */
export type TestTable = { readonly key: readonly string[]; readonly types: Readonly<Record<string, string>> };

/** What becomes of the row. Changes with all values as PostgreSQL's text; of an insert with all columns. */
export type TestedException = { readonly kind: 'retry'; readonly changes: readonly TestedChange[] } | Exclude<ExceptionAnswer, { kind: 'retry' }>;

type Texts = Readonly<Record<string, string | null>>;
export type TestedChange = { readonly change: 'update' | 'insert' | 'remove'; readonly table: string; readonly key: Texts; readonly values: Texts };

/**
 * Asks a handler about a row that a database does not take, and holds its answer against it as the runner does, but for whether the rows
 * that it changes are there.
 *
 * @throws Error with the runner's own message, when the answer is none that the runner would take
 */
export function testException<Row extends object = RowValues>(test: TestException<Row>): TestedException {
  const { shape, exception } = exceptionFor(test);
  const others = Object.entries(test.tables ?? {}).map(([table, { key, types }]): HandlerShape => {
    return { table, key, databases: shape.databases, columns: Object.entries(types).map(([name, type]) => ({ name, type })) };
  });
  const shapes = [shape, ...others];
  const message: unknown = JSON.parse(JSON.stringify(failureMessage(shape, exception)));
  const failure = conflictOf(message as FailureMessage) as unknown as Failure<Row>;
  const outcome = judgeException({ shape, shapes }, exception, answerOf(test.handler(failure)));
  if (outcome.kind === 'failure') throw new Error(failureText(outcome));
  if (outcome.kind === 'retry') return { kind: 'retry', changes: outcome.changes.map((change) => testedChange(shapes, change)) };
  return outcome.kind === 'keep' ? { kind: 'keep', database: shape.databases[outcome.member] ?? '' } : outcome;
}

function exceptionFor<Row extends object>(test: TestException<Row>): { shape: HandlerShape; exception: HandlerException } {
  const { rows, inTheWay = [], database } = test;
  const { arriving = Object.entries(rows).find(([name]) => name !== database)?.[1] ?? null } = test;
  const named = (held: Readonly<Record<string, Row | null>>) => Object.entries(held).map(([name, row]) => ({ database: name, row }));
  const blocking = inTheWay.map((each) => ({ row: each.row, rows: named(each.rows ?? Object.fromEntries(Object.keys(rows).map((name) => [name, each.row]))) }));
  const own = named(rows);
  const all = [...own, { database, row: arriving }, ...blocking.flatMap((each) => [...each.rows, { database, row: each.row }])];
  const shape = shapeOf({ ...test, versions: all, databases: test.databases ?? Object.keys(rows) });
  const heldIn = (versions: readonly TestVersion<Row>[], times: Readonly<Record<string, string>> = {}): Pick<HandlerException, 'key' | 'rows'> => {
    const { key, versions: held } = conflictFor({ versions }, shape);
    const when = (index: number): string | undefined => times[versions[index]?.database ?? ''];
    return {
      key,
      rows: held.map(({ member, row, op }, index) => {
        const time = when(index);
        return { member, row, at: time === undefined ? null : microsOf(time), op: time === undefined ? null : op };
      }),
    };
  };
  const rowIn = (row: Row | null): RowText => conflictFor({ versions: [{ database, row }] }, shape).versions[0]?.row ?? { isPresent: false, values: [] };
  const { key, rows: held } = heldIn([...own, { database, row: arriving }], test.times);
  const error = { message: '', detail: null, constraint: null, table: shape.table, ...test.error };
  const exception: HandlerException = {
    ...{ key, error, member: shape.databases.indexOf(database), tries: test.tries ?? 0, rows: held.slice(0, own.length), arriving: rowIn(arriving) },
    inTheWay: blocking.map((each) => ({ ...heldIn(each.rows), key: heldIn([{ database, row: each.row }]).key, row: rowIn(each.row) })),
  };
  return { shape, exception };
}

function testedChange(shapes: readonly HandlerShape[], { change, table, key, values }: JudgedChange): TestedChange {
  const { key: names = [], columns = [] } = shapes.find((each) => each.table === table) ?? {};
  return {
    change,
    table,
    key: Object.fromEntries(names.map((name, place) => [name, key[place] ?? null])),
    values: Object.fromEntries(values.map(([place, text]) => [columns[place]?.name ?? '', text])),
  };
}

/** Two rows that hold one value of a unique index, the earlier one first. */
export type TestUnique<Row extends object = RowValues> = Pick<TestConflict<Row>, 'key' | 'table' | 'types' | 'databases'> & {
  readonly handler: (clash: UniqueClash<Row>) => UniqueAnswer<Row>;
  /** Name of the unique index; `unique` by default. */
  readonly index?: string;
  readonly rows: readonly [earlier: TestUniqueRow<Row>, later: TestUniqueRow<Row>];
};

export type TestUniqueRow<Row extends object = RowValues> = {
  readonly database: string;
  readonly row: Row;
  /** As for `TestVersion`; null where every database has heard of the row. */
  readonly time?: string | null;
};

/** What became of the two rows: which of them are parked, by their places, or what the later one is changed to. */
export type TestedUnique =
  | { readonly kind: 'park'; readonly parked: readonly ('earlier' | 'later')[] }
  | { readonly kind: 'merge'; readonly row: Readonly<Record<string, string | null>> }
  | { readonly kind: 'stop' };

/**
 * Asks a handler about two rows that hold one unique value, and holds its answer against them as the runner does.
 *
 * @throws Error with the runner's own message, when the answer is none that the runner would take
 */
export function testUnique<Row extends object = RowValues>(test: TestUnique<Row>): TestedUnique {
  const versions = test.rows.map(({ database, row, time }) => ({ database, row, ...(typeof time === 'string' ? { time } : {}) }));
  const shape = shapeOf({ ...test, databases: test.databases ?? [...new Set(versions.map(({ database }) => database))], versions });
  const rowOf = (place: 0 | 1): HandlerClash['rows'][0] => {
    const { key, versions: held } = conflictFor({ versions: versions.slice(place, place + 1) }, shape);
    const [found] = held;
    if (found === undefined) throw new Error('a clash has two rows');
    const { time } = test.rows[place];
    const at = time === null ? null : found.at + (time === undefined ? BigInt(place) * 1_000_000n : 0n);
    return { member: found.member, at, key, row: found.row };
  };
  const clash: HandlerClash = { index: test.index ?? 'unique', rows: [rowOf(0), rowOf(1)] };
  const message: unknown = JSON.parse(JSON.stringify(clashMessage(shape, clash)));
  const outcome = judgeClash(shape, clash, answerOf(test.handler(conflictOf(message as ClashMessage) as UniqueClash<Row>)));
  if (outcome.kind === 'failure') throw new Error(failureText(outcome));
  if (outcome.kind === 'park') return { kind: 'park', parked: outcome.places.map((place) => (place === 0 ? 'earlier' : 'later')) };
  return outcome.kind === 'change' ? { kind: 'merge', row: rowByName(shape, outcome.values) } : outcome;
}

function rowByName({ columns }: HandlerShape, values: readonly (string | null)[]): Readonly<Record<string, string | null>> {
  return Object.fromEntries(columns.map(({ name }, index) => [name, values[index] ?? null]));
}

function tested(shape: HandlerShape, decision: HandlerDecision): TestedDecision {
  if (decision.kind === 'take') return { kind: 'take', database: shape.databases[decision.member] ?? '' };
  if (decision.kind !== 'merge') return decision;
  return { kind: 'merge', row: rowByName(shape, decision.values) };
}

function shapeOf<Row extends object>({ table = 'public.orders', key, versions, types = {}, databases }: Omit<TestConflict<Row>, 'handler'>): HandlerShape {
  const rows = versions.flatMap(({ row }) => (row === null ? [] : [row]));
  if (versions.length < 2 || rows.length === 0) throw new Error('a conflict has two versions or more, and a row in one of them');
  const names = [...new Set([...Object.keys(types), ...rows.flatMap((row) => Object.keys(row))])];
  const columns = names.map((name) => ({ name, type: types[name] ?? typeFor(rows.map((row) => valueIn(row, name))) }));
  return { table, columns, key, databases: databases ?? versions.map(({ database }) => database) };
}

function typeFor(values: readonly ColumnValue[]): string {
  const known = values.filter((value) => value !== null);
  if (known.some((value) => typeof value === 'boolean')) return 'boolean';
  if (known.some((value) => typeof value === 'string') || known.length === 0) return 'text';
  return known.every((value) => Number.isInteger(value) && Math.abs(Number(value)) < 2 ** 31) ? 'integer' : 'double precision';
}

function valueIn(row: object, name: string): ColumnValue {
  return ({ ...row } as RowValues)[name] ?? null;
}

function conflictFor<Row extends object>({ versions }: Pick<TestConflict<Row>, 'versions'>, shape: HandlerShape): HandlerConflict {
  const keyed = versions.find(({ row }) => row !== null)?.row ?? {};
  const textIn = (row: object, name: string): string | null => exactText(shape, name, valueIn(row, name));
  return {
    key: shape.key.map((name) => textIn(keyed, name) ?? ''),
    versions: versions.map(({ database, row, time, operation }, index) => {
      const member = shape.databases.indexOf(database);
      if (member < 0) throw new Error(`there is no database '${database}' among ${shape.databases.join(', ')}`);
      const at = time === undefined ? 1_767_225_600_000_000n + BigInt(index) * 1_000_000n : microsOf(time);
      const values = shape.columns.map(({ name }) => (row || shape.key.includes(name) ? textIn(row ?? keyed, name) : null));
      return { member, at, op: operation ?? (row ? 'update' : 'delete'), row: { isPresent: row !== null, values } };
    }),
  };
}

function exactText({ columns }: HandlerShape, name: string, value: ColumnValue): string | null {
  const type = columns.find((column) => column.name === name)?.type ?? 'text';
  const isOdd = typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0));
  const found = textOf(isOdd ? { number: Object.is(value, -0) ? '-0' : String(value) } : value, type);
  if ('fault' in found) throw new Error(`column ${name} of the test: ${found.fault}`);
  return found.text;
}

function microsOf(time: string): bigint {
  const match = /^(.*T\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?Z$/.exec(time);
  const seconds = match ? Date.parse(`${match[1]}Z`) : Number.NaN;
  if (Number.isNaN(seconds)) throw new Error(`'${time}' is no time such as 2026-11-26T17:02:44.123456Z`);
  return BigInt(seconds) * 1000n + BigInt((match?.[2] ?? '0').padEnd(6, '0'));
}
