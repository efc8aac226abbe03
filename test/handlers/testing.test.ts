import {
  type Bigint,
  type Conflict,
  type ConflictAnswer,
  type ConflictHandler,
  type ConflictVersion,
  keep,
  merge,
  type MultiMasterSync,
  park,
  remove,
  retry,
  stop,
  take,
  type UniqueHandler,
} from 'sarrio';
import { testConflict, testException, testUnique } from 'sarrio/testing';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { type Customer, mergeCustomers } from '../cases/handlers/rules/customers.ts';

const row: Customer = { id: '9007199254740993', name: 'Ada', email: null, tier: 'silver', points: '12', active: true };

describe('testConflict', () => {
  test('gives what every database would get', () => {
    const versions = [
      { database: 'east', row },
      { database: 'west', row: { ...row, name: 'Ada L.', tier: 'gold', points: '900719925474099312' } },
    ] as const;
    expect(testConflict<Customer>({ handler: mergeCustomers, key: ['id'], types: { id: 'bigint', points: 'bigint' }, versions })).toEqual({
      kind: 'merge',
      row: { id: '9007199254740993', points: '1000000', name: 'Ada L.', email: null, tier: 'gold', active: 'true' },
    });
  });

  test('knows rows that are gone, times and kinds', () => {
    const handler: ConflictHandler = ({ kind, latest, version }) =>
      kind === 'insert/delete' && version('east')?.row === null ? take(latest.database) : remove();
    const versions = [
      { database: 'west', row: { id: 1 }, operation: 'insert', time: '2026-01-01T00:00:00.000002Z' },
      { database: 'east', row: null, time: '2026-01-01T00:00:00.000001Z' },
    ] as const;
    expect(testConflict({ handler, key: ['id'], versions })).toEqual({ kind: 'take', database: 'west' });
  });

  test('shows the last common row: what only one side has changed is as it left it', () => {
    const handler: ConflictHandler = ({ common, versions: [one, other] }) =>
      common && one?.row && other?.row ? merge({ n: Number(one.row['n']) + Number(other.row['n']) - Number(common['n']), v: common['v'] ?? null }) : remove();
    const versions = [
      { database: 'east', row: { id: 1, n: 7, v: 'a' } },
      { database: 'west', row: { id: 1, n: 9, v: 'b' } },
    ];
    expect(testConflict({ handler, key: ['id'], versions, common: { id: 1, n: 5, v: '1.50' } })).toEqual({
      kind: 'merge',
      row: { id: '1', n: '11', v: '1.50' },
    });
    expect(testConflict({ handler, key: ['id'], versions })).toEqual({ kind: 'remove' });
  });

  test('refuses what the runner would refuse, in its words', () => {
    const versions = [
      { database: 'east', row: { id: 1, n: 1 } },
      { database: 'west', row: { id: 1, n: 2 } },
    ];
    const asked = (handler: ConflictHandler) => () => testConflict({ handler, key: ['id'], versions, table: 'public.stock' });
    expect(asked(() => take('north'))).toThrow(
      "handler of public.stock, key id = 1, update/update: take('north'): there is no such database; there are east, west",
    );
    expect(asked(() => merge({ n: 1.5 }))).toThrow('merge(…), column n: 1.5 is no integer');
    expect(asked(() => merge({ id: 3 }))).toThrow('merge(…), column id: it belongs to the key, which cannot be changed');
  });
});

test('the types of handlers', () => {
  expectTypeOf<Conflict<Customer>['versions'][number]>().toEqualTypeOf<ConflictVersion<Customer>>();
  expectTypeOf<ConflictVersion<Customer>['row']>().toEqualTypeOf<Customer | null>();
  expectTypeOf<ConflictVersion['timeMicros']>().toEqualTypeOf<bigint>();
  // A handler of declared rows is a rule of a sync, too; so is one without declarations.
  expectTypeOf(mergeCustomers).toExtend<NonNullable<MultiMasterSync['onConflict']>>();
  expectTypeOf((conflict: Conflict) => take(conflict.latest.database)).toExtend<NonNullable<MultiMasterSync['onConflict']>>();
  // @ts-expect-error an answer is one of four
  const text: ConflictHandler = () => 'east';
  // @ts-expect-error asynchronous answers are none
  const later: ConflictHandler = async () => take('east');
  // @ts-expect-error the tier is one of three
  const tier: ConflictHandler<Customer> = () => merge({ tier: 'bronze' });
  const points: ConflictAnswer<Customer> = merge({ points: 3n });
  // @ts-expect-error a column that the row does not have
  const other: ConflictAnswer<Customer> = merge({ point: 3n });
  // @ts-expect-error a number would have lost digits
  const number: ConflictAnswer<Customer> = merge({ points: 3 });
  // @ts-expect-error a text is no number
  const name: ConflictAnswer<Customer> = merge({ name: 3n });
  expectTypeOf<Customer['points']>().toEqualTypeOf<Bigint>();
  expect([text, later, tier, points, other, number, name]).toHaveLength(7);
});

test('a handler of rows that a database does not take is asked as the runner asks it', () => {
  const test = { key: ['id'], database: 'west', error: { code: '23514' }, rows: { east: { id: 1, total: 5 }, west: null } } as const;
  expect(testException({ ...test, handler: ({ row, error }) => (row('east')?.total === 5 && error.code === '23514' ? keep('east') : stop()) })).toEqual(
    keep('east'),
  );
  expect(testException({ ...test, handler: () => park() })).toEqual(park());
  expect(() => testException({ ...test, handler: () => keep('south') })).toThrow("keep('south') wants the name of a database that is up; there are east, west");
  expect(() => testException({ ...test, tries: 3, handler: () => retry() })).toThrow('retry() for the 4th time');
  expect(testException({ ...test, handler: () => retry() })).toEqual({ kind: 'retry', changes: [] });
});

test('testException shows what is in the way, and gives the changes as they go out', () => {
  type Account = { id: Bigint; email: string; n: number };
  const rows = { east: { id: '9007199254740993', email: 'a@b', n: 1 }, west: null } as const;
  const test = { key: ['id'], database: 'west', error: { code: '23505', constraint: 'accounts_email_key' }, rows, table: 'public.accounts' } as const;
  const more = {
    types: { id: 'bigint' },
    times: { east: '2026-01-01T00:00:00.000002Z' },
    inTheWay: [{ row: { id: '2', email: 'a@b', n: 4 } }],
    tables: { 'public.log': { key: ['id'], types: { id: 'bigint', what: 'text' } } },
  } as const;
  const tested = testException<Account>({
    ...test,
    ...more,
    handler: ({ arriving, inTheWay: [other], rows: [east], update, of }) => {
      if (other?.rows.length !== 2 || east?.operation !== 'update' || east.time !== '2026-01-01T00:00:00.000002Z') return stop();
      return retry(update(other.key, { email: `${arriving?.email}.old`, n: other.row.n + 1 }), of('public.log').insert({ id: 7n as never, what: null }));
    },
  });
  expect(tested).toEqual({
    kind: 'retry',
    changes: [
      { change: 'update', table: 'public.accounts', key: { id: '2' }, values: { email: 'a@b.old', n: '5' } },
      { change: 'insert', table: 'public.log', key: { id: '7' }, values: { id: '7', what: null } },
    ],
  });
  expect(() => testException<Account>({ ...test, ...more, handler: ({ of }) => retry(of('public.lag').remove({ id: 1 })) })).toThrow(
    'key id = 9007199254740993, error 23505: remove(…): the sync has no table public.lag; there are public.accounts, public.log',
  );
});

test('testUnique gives what becomes of the two rows, in the words of the runner where that is nothing', () => {
  type Account = { id: number; email: string };
  const rows = [
    { database: 'east', row: { id: 1, email: 'a@b' }, time: null },
    { database: 'west', row: { id: 2, email: 'a@b' }, time: '2026-01-01T00:00:00.000002Z' },
  ] as const;
  const asked = (handler: UniqueHandler<Account>) => testUnique<Account>({ handler, key: ['id'], rows, index: 'accounts_email_key', table: 'public.accounts' });
  const named: UniqueHandler<Account> = ({ earlier, later, index, table }) =>
    merge({ email: [table, index, earlier.database, earlier.time, later.key.id, later.time, later.timeMicros, later.row.email].join() });
  expect(asked(named)).toEqual({
    kind: 'merge',
    row: { id: '2', email: 'public.accounts,accounts_email_key,east,,2,2026-01-01T00:00:00.000002Z,1767225600000002,a@b' },
  });
  expect(asked(() => keep('west'))).toEqual({ kind: 'park', parked: ['earlier'] });
  expect(asked(() => park())).toEqual({ kind: 'park', parked: ['earlier', 'later'] });
  expect(asked(() => stop())).toEqual({ kind: 'stop' });
  expect(() => asked(() => keep('south'))).toThrow(
    "key id = 2, unique accounts_email_key: keep('south') wants the name of the database of one of the rows; there are east, west",
  );
  expect(() => asked(() => merge({ id: 3 }))).toThrow('merge(…), column id: it belongs to the key, which cannot be changed');
  expect(() => asked(({ later }) => merge({ email: later.row.email }))).toThrow('merge(…) changes nothing');
  expect(() => asked(() => retry() as never)).toThrow('it returned retry(…), not keep(…), merge(…), park() or stop()');
});
