import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Project, SyntaxKind } from 'ts-morph';
import { expect, test } from 'vitest';
import { root } from '../support/build.ts';
import { missingCodes, missingTests } from './named-tests.ts';

/** `docs/bucardo.md` says where each scenario of the predecessor is played. It must stay true, in both directions. */
const rows = (await readFile(join(root, 'docs/bucardo.md'), 'utf8'))
  .split('\n')
  .filter((line) => /^\| \d+ \|/.test(line))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

test('every scenario is there, in order, with its cells, and shown by a test', () => {
  expect(rows.map(([number]) => Number(number))).toEqual(rows.map((_, index) => index + 1));
  expect(rows.filter((cells) => cells.length !== 4 || !cells[3]?.includes('`test/'))).toEqual([]);
});

test('every test and diagnostic that is named exists', () => {
  const shown = rows.map((cells) => cells[3] ?? '').join('\n');
  expect(missingTests(shown)).toEqual([]);
  expect(missingCodes(shown)).toEqual([]);
});

test('every test that plays a scenario of the predecessor is in the list', () => {
  const listed = rows.flat().join('\n');
  const files = new Project({ skipAddingFilesFromTsConfig: true }).addSourceFilesAtPaths([
    join(root, 'test/masters/bucardo-*.test.ts'),
    join(root, 'test/sequences/bucardo-*.test.ts'),
  ]);
  const titles = files.flatMap((file) =>
    file
      .getDescendantsOfKind(SyntaxKind.CallExpression)
      .filter((call) => call.getExpression().getText() === 'test')
      .map((call) => call.getArguments()[0]?.asKind(SyntaxKind.StringLiteral)?.getLiteralValue() ?? 'a title that is no plain text'),
  );
  expect(titles.length).toBeGreaterThan(0);
  expect(titles.filter((title) => !listed.includes(`"${title}"`))).toEqual([]);
});
