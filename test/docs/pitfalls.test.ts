import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../support/build.ts';
import { missingCodes, missingTests } from './named-tests.ts';

/** `docs/pitfalls.md` names tests, diagnostic codes and limits. Each must be there, so that the list stays true. */
const ROWS = [...numbers(1, 50), 59, 60, 64, 65, ...numbers(72, 77), ...numbers(81, 88)];

type Row = { readonly number: number; readonly cells: readonly string[] };

const document = await readFile(join(root, 'docs/pitfalls.md'), 'utf8');
const rows = document
  .split('\n')
  .filter((line) => /^\| \d+ \|/.test(line))
  .map((line): Row => {
    const cells = line.split(/(?<!\\) \| |^\| | \|$/).filter((cell) => cell !== '');
    return { number: Number(cells[0]), cells: cells.slice(1) };
  });

const shown = rows.map(({ number, cells }) => ({ number, text: cells[2] ?? '' }));
const allShown = shown.map(({ text }) => text).join('\n');

test('every row is there, in order, with its four cells', () => {
  expect(rows.map(({ number }) => number)).toEqual(ROWS);
  expect(rows.filter(({ cells }) => cells.length !== 3).map(({ number }) => number)).toEqual([]);
});

test('every row is proven by a test, a refusal or a limit', () => {
  expect(shown.filter(({ text }) => !/`test\/|`SAR|README "/.test(text)).map(({ number }) => number)).toEqual([]);
});

test('every test that is named exists, by file and name', () => {
  expect(missingTests(allShown)).toEqual([]);
});

test('every diagnostic that is named exists', () => {
  expect(missingCodes(allShown)).toEqual([]);
});

test('every limit that is quoted stands in the README', async () => {
  const readme = (await readFile(join(root, 'README.md'), 'utf8')).replace(/\s+/g, ' ');
  const missing = references(/README "([^"]+)"/g).filter(([, text = '']) => !readme.includes(text));
  expect(missing.map(([text]) => text)).toEqual([]);
});

/** Everything that a pattern finds in the last cells; at least once. */
function references(pattern: RegExp): readonly RegExpExecArray[] {
  const found = shown.flatMap(({ text }) => [...text.matchAll(pattern)]);
  expect(found.length).toBeGreaterThan(0);
  return found;
}

function numbers(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
