import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Project } from 'ts-morph';
import { expect, test } from 'vitest';
import { allExplanations } from '../../src/commands/all-explanations.ts';
import { diagnosticsDocument } from '../../src/explain/document.ts';
import { root } from '../support/build.ts';

const explanations = allExplanations();
const explained = explanations.map(({ code }) => code);

test('every code that anything can say is explained once, and nothing else', () => {
  const files = new Project({ skipAddingFilesFromTsConfig: true }).addSourceFilesAtPaths(join(root, 'src/**/*.ts'));
  const texts = files.filter((file) => !file.getFilePath().includes('/src/explain/')).map((file) => file.getFullText());
  const said = new Set(texts.flatMap((text) => [...text.matchAll(/'(SAR\d{3})'/g)].map(([, code = '']) => code)));
  expect(explained.filter((code, place) => explained.indexOf(code) !== place)).toEqual([]);
  expect([...said].filter((code) => !explained.includes(code)).sort()).toEqual([]);
  expect(explained.filter((code) => !said.has(code))).toEqual([]);
});

test('every explanation has all its parts', () => {
  const short = explanations.filter(({ summary, explanation, example, cure }) => [summary, explanation, example, cure].some((text) => text.trim().length < 5));
  expect(short.map(({ code }) => code)).toEqual([]);
});

test('docs/diagnostics.md is what the program says', async () => {
  const file = join(root, 'docs/diagnostics.md');
  const document = diagnosticsDocument(explanations);
  if (process.env['UPDATE_CASES'] === '1') await writeFile(file, document);
  expect(await readFile(file, 'utf8')).toBe(document);
});
