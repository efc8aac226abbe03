import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  beforeAll as beforeEverything,
  covering,
  covers,
  formatPosition,
  intersection,
  isCovered,
  parsePosition,
  type Position,
  positionAt,
  positionSettings,
  union,
} from '../../src/plan/position.ts';
import { freshDatabase } from '../support/databases.ts';

const HISTORY = { system: '7412345678901234567', database: '16384', timeline: 1 };
const FIRST = 3;
const LAST = 14;

/** A position in a tiny history, as a snapshot makes it: xmin is the oldest in progress. */
const position = fc
  .record({
    xmax: fc.integer({ min: FIRST, max: LAST }),
    open: fc.uniqueArray(fc.integer({ min: FIRST, max: LAST })),
    extra: fc.uniqueArray(fc.integer({ min: FIRST, max: LAST })),
  })
  .map(({ xmax, open, extra }): Position => {
    const xip = open.filter((xid) => xid < xmax).sort((a, b) => a - b);
    const more = extra.filter((xid) => xid >= xmax || xip.includes(xid)).sort((a, b) => a - b);
    return { history: HISTORY, xmin: BigInt(xip[0] ?? xmax), xmax: BigInt(xmax), xip: xip.map(BigInt), extra: more.map(BigInt) };
  });

/** The transactions that a position covers, one by one. */
function model({ xmax, xip, extra }: Position): ReadonlySet<number> {
  const all = Array.from({ length: LAST + 2 }, (_, xid) => xid);
  return new Set(all.filter((xid) => (BigInt(xid) < xmax && !xip.includes(BigInt(xid))) || extra.includes(BigInt(xid))));
}

describe('a position', () => {
  test('reads back from its text', () => {
    fc.assert(fc.property(position, (p) => void expect(parsePosition(formatPosition(p))).toEqual(p)));
    expect(formatPosition(parsePosition('1.2.3/10:20:10,15+11,21'))).toBe('1.2.3/10:20:10,15+11,21');
  });

  test('keeps ids beyond 2^53', () => {
    const text = '7412345678901234567.16384.1/18446744073709551614:18446744073709551615:18446744073709551614';
    expect(formatPosition(parsePosition(text))).toBe(text);
  });

  test.each(['', '10:20:', '1.2.3/10:20', '1.2.3/10:20:x', '1.2.3/10:20:+', '1.2.3/-1:2:', ' 1.2.3/10:20:', '1.2.3/10:20:\n', '1.2/10:20:'])(
    'is not %j',
    (text) => {
      expect(() => parsePosition(text)).toThrow(/not a position/);
    },
  );

  test('covers what the model covers', () => {
    fc.assert(
      fc.property(position, (p) => {
        for (let xid = 0; xid <= LAST + 1; xid += 1) expect(isCovered(p, BigInt(xid))).toBe(model(p).has(xid));
      }),
    );
  });

  test('covers another when every transaction of that is its own too', () => {
    fc.assert(
      fc.property(position, position, (a, b) => {
        const own = model(a);
        expect(covers(a, b)).toBe([...model(b)].every((xid) => own.has(xid)));
      }),
      { numRuns: 3_000 },
    );
  });

  test('of two: what either covers, what both cover, and one transaction more', () => {
    const same = (p: Position, wanted: ReadonlySet<number>): void => {
      expect(model(p)).toEqual(wanted);
      expect(parsePosition(formatPosition(p))).toEqual(p);
    };
    fc.assert(
      fc.property(position, position, position, fc.integer({ min: FIRST, max: LAST }), (a, b, c, xid) => {
        const [ofA, ofB, ofC] = [model(a), model(b), model(c)];
        same(union(a, b), new Set([...ofA, ...ofB].sort((x, y) => x - y)));
        same(intersection([a, b, c]), new Set([...ofA].filter((each) => ofB.has(each) && ofC.has(each))));
        same(covering(a, BigInt(xid)), new Set([...ofA, xid].sort((x, y) => x - y)));
      }),
      { numRuns: 3_000 },
    );
  });

  test('before everything covers no transaction that can be given out', () => {
    fc.assert(fc.property(position, (p) => void expect(covers(p, beforeEverything(HISTORY))).toBe(true)));
    expect(isCovered(beforeEverything(HISTORY), 3n)).toBe(false);
  });
});

test('the server reads the settings of a position as the model does', async () => {
  const database = await freshDatabase('position');
  for (const p of fc.sample(position, 40)) {
    const { xmax, xip, extra } = positionSettings(p);
    const rows = await database.query<{ xid: string }>(
      `select x.xid::text as xid from (select g::text::xid8 as xid from generate_series(0, ${LAST + 1}) g) as x
       where (x.xid >= $1::xid8 or x.xid = any ($2::xid8[])) and x.xid <> all ($3::xid8[])`,
      [xmax, xip, extra],
    );
    const pending = rows.map(({ xid }) => Number(xid));
    expect(pending).toEqual(Array.from({ length: LAST + 2 }, (_, xid) => xid).filter((xid) => !model(p).has(xid)));
  }
});

test('a snapshot of the server is a position', async () => {
  const database = await freshDatabase('position');
  const open = await database.connect();
  await open.query('begin; select pg_current_xact_id()');
  await database.query('select pg_current_xact_id()');
  const [row] = await database.query<{ snapshot: string }>('select pg_current_snapshot()::text as snapshot');
  await open.query('rollback');
  await open.end();
  const parsed = positionAt(HISTORY, row?.snapshot ?? '');
  expect(parsed.xip.length).toBeGreaterThan(0);
  expect(formatPosition(parsed).endsWith(`/${row?.snapshot}`)).toBe(true);
});
