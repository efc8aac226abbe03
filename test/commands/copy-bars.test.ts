import { expect, test } from 'vitest';
import { copyBars } from '../../src/commands/report/copy-bars.ts';
import type { RunnerEvent } from '../../src/runner/events.ts';

const ESCAPE = `${String.fromCharCode(27)}[`;

/** What stands on a terminal that does what it is told. */
function terminal(columns: number) {
  const lines: string[] = [];
  const write = (text: string): void => {
    const [up = '', rest] = text.startsWith(ESCAPE) ? text.slice(ESCAPE.length).split(`A${ESCAPE}0J`) : ['', text];
    lines.splice(lines.length - Number(up));
    lines.push(...(rest ?? '').split('\n').slice(0, -1));
  };
  return { lines, bars: copyBars({ write, width: () => columns }) };
}

const stream = { sync: 's', source: 'east', target: 'west' };
const started = (table: string): RunnerEvent => ({ kind: 'copy-started', stream, table });
const range = (table: string, done: number, total: number): RunnerEvent => ({
  ...{ kind: 'copy-range', stream, table, done, total },
  ...{ rows: 10, rowsPerSecond: 120_000, msLeft: 12_000 },
});

test('a table that is copied has a bar with rate and time left under the lines, until it is there', () => {
  const { lines, bars } = terminal(200);
  bars({ kind: 'caught-up', stream }, 'before');
  bars(started('public.big'), 'copy of big');
  bars(started('public.small'), 'copy of small');
  bars(range('public.big', 1, 4), 'never shown');
  bars({ kind: 'copy-finished', stream, table: 'public.small', rows: 1, ms: 1 }, 'small is there');
  expect(lines).toEqual([
    'before',
    'copy of big',
    'copy of small',
    'small is there',
    `public.big -> west [${'#'.repeat(6)}${'.'.repeat(18)}] 25 %, 120,000 rows/s, 12.0 s left`,
  ]);
  bars(range('public.big', 4, 4), 'never shown');
  expect(lines.at(-1)).toContain(`[${'#'.repeat(24)}] 100 %`);
  bars({ kind: 'copy-finished', stream, table: 'public.big', rows: 1, ms: 1 }, 'big is there');
  bars({ kind: 'caught-up', stream }, null);
  expect(lines).toEqual(['before', 'copy of big', 'copy of small', 'small is there', 'big is there']);
});

test('bars never wrap, are bounded, and go with a copy that failed', () => {
  const { lines, bars } = terminal(30);
  for (let table = 0; table < 11; table += 1) bars(started(`public.a_table_with_a_long_name_${table}`), null);
  expect(lines).toHaveLength(9);
  expect(lines.every((line) => line.length < 30)).toBe(true);
  expect(lines.at(-1)).toBe('and 3 more tables');
  bars({ kind: 'retry', stream, code: 'SAR600', error: 'gone', inMs: 1 }, 'tries again');
  expect(lines).toEqual(['tries again']);
});
