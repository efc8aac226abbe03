import { describe, expect, test } from 'vitest';
import { parseCron } from '../../src/plan/cron.ts';
import { nextDue, parseSchedule, type Schedule } from '../../src/plan/schedule.ts';
import { dueOf } from '../../src/runner/8-round/full-copy/due.ts';

const at = (text: string): number => Date.parse(text);

function next(every: string, last: string, timeZone?: string): string {
  const schedule = parseSchedule(every, timeZone);
  if (schedule.kind === 'fault') throw new Error(schedule.message);
  return new Date(nextDue(schedule, at(last))).toISOString().replace(':00.000Z', 'Z');
}

describe('when a full copy is due', () => {
  test.each([
    ['30s', '2026-03-01T10:00:15Z', '2026-03-01T10:00:45.000Z'],
    ['15m', '2026-03-01T10:00Z', '2026-03-01T10:15Z'],
    ['15 min', '2026-03-01T10:00Z', '2026-03-01T10:15Z'],
    ['1d', '2026-02-28T10:00Z', '2026-03-01T10:00Z'],
    ['30 2 * * *', '2026-03-01T02:29:59Z', '2026-03-01T02:30Z'],
    ['30 2 * * *', '2026-03-01T02:30:00Z', '2026-03-02T02:30Z'],
    ['*/15 * * * *', '2026-12-31T23:50Z', '2027-01-01T00:00Z'],
    ['0 0 29 2 *', '2026-03-01T00:00Z', '2028-02-29T00:00Z'],
    ['0 9-17/4 * jan,JUL mon-fri', '2026-07-03T17:30Z', '2026-07-06T09:00Z'],
    ['0 0 13 * 5', '2026-03-10T00:00Z', '2026-03-13T00:00Z'],
    ['0 0 13 * 5', '2026-03-13T00:00Z', '2026-03-20T00:00Z'],
    ['0 0 * * 7', '2026-03-10T00:00Z', '2026-03-15T00:00Z'],
  ])('%s after %s is %s', (every, last, due) => {
    expect(next(every, last)).toBe(due);
  });

  test('in another time zone, in winter and in summer', () => {
    expect(next('30 2 * * *', '2026-01-10T12:00Z', 'Europe/Berlin')).toBe('2026-01-11T01:30Z');
    expect(next('30 2 * * *', '2026-07-10T12:00Z', 'Europe/Berlin')).toBe('2026-07-11T00:30Z');
    expect(next('0 0 * * *', '2026-07-10T12:00Z', 'Asia/Kathmandu')).toBe('2026-07-10T18:15Z');
  });

  test('a time that the clocks leave out comes after it, one that they show twice comes once', () => {
    expect(next('30 2 * * *', '2026-03-28T12:00Z', 'Europe/Berlin')).toBe('2026-03-29T01:30Z');
    expect(next('30 2 * * *', '2026-03-29T01:30Z', 'Europe/Berlin')).toBe('2026-03-30T00:30Z');
    expect(next('30 2 * * *', '2026-10-24T12:00Z', 'Europe/Berlin')).toBe('2026-10-25T00:30Z');
    expect(next('30 2 * * *', '2026-10-25T00:30Z', 'Europe/Berlin')).toBe('2026-10-26T01:30Z');
  });

  test.each(['5', '* * * *', '60 * * * *', '* 24 * * *', '* * 0 * *', '* * * 13 *', '* * * * 8', '5-1 * * * *', '*/0 * * * *', 'a * * * *', '1,, * * * *'])(
    '%s is no cron expression',
    (text) => {
      expect(parseCron(text)).toBeTypeOf('string');
    },
  );

  test.each([
    ['0 0 31 2 *', undefined, 'every'],
    ['0 0 * * *', 'Europe/Atlantis', 'timeZone'],
    ['15m', 'Europe/Berlin', 'timeZone'],
    ['soon', undefined, 'every'],
  ] as const)('%s in %s is refused for its %s', (every, timeZone, setting) => {
    expect(parseSchedule(every, timeZone)).toMatchObject({ kind: 'fault', setting });
  });
});

describe('why', () => {
  const hourly: Schedule = { kind: 'interval', seconds: 3600 };
  const state = { nowMs: 7_200_000, kick: 'a', servedKick: 'a', copiedMs: 7_000_000 };

  test.each([
    ['there was none', hourly, { ...state, copiedMs: null }, { reason: 'first', overdueMs: 0 }],
    ['somebody asked', null, { ...state, kick: 'b' }, { reason: 'kicked', overdueMs: 0 }],
    ['somebody asked for the first time', null, { ...state, servedKick: null }, { reason: 'kicked', overdueMs: 0 }],
    ['its time has come', hourly, { ...state, copiedMs: 3_500_000 }, { reason: 'due', overdueMs: 100_000 }],
    ['its time has not come', hourly, state, { reason: null, inMs: 3_400_000 }],
    ['nobody asks', null, state, { reason: null, inMs: null }],
  ])('%s', (_, schedule, given, due) => {
    expect(dueOf(schedule, given)).toEqual(due);
  });
});
