import fc from 'fast-check';
import { expect, test } from 'vitest';
import { blockHash, readBlocks, type SqlBlock } from '../../src/plan/sql-blocks.ts';

/** Anchors, what is nearly one, and lines that are for psql only, with what some take for a line break. */
const LINES = [
  ...['-- object: table a.b', '-- object: function x y z', '-- object:  a', '-- object: t  n ', '-- object: table '],
  ...[' -- object: table q', '\u2028-- object: t n', '-- object: a \u2028b', '-- object: a b\u2028'],
  ...['begin;', 'commit;', 'begin; ', 'begin;\u2028', 'x\u2028begin;', 'select 1', '', '  ', '\r'],
];

/** Line by line, as the words say it. */
function blocksOf(file: string): readonly SqlBlock[] {
  const blocks: { kind: string; name: string; lines: string[] }[] = [];
  for (const line of file.split(/\r?\n/)) {
    const [, kind, name] = /^-- object: (\S+) (.+)$/.exec(line) ?? [];
    if (kind && name) blocks.push({ kind, name, lines: [] });
    else if (line !== 'begin;' && line !== 'commit;') blocks.at(-1)?.lines.push(line);
  }
  return blocks.map(({ kind, name, lines }) => ({ kind, name, text: `${lines.join('\n').replaceAll('\r\n', '\n').trim()}\n` }));
}

test('a file is split at the lines that are anchors, whatever its line ends are', () => {
  const file = fc.tuple(fc.array(fc.constantFrom(...LINES), { maxLength: 12 }), fc.constantFrom('\n', '\r\n')).map(([lines, end]) => lines.join(end));
  fc.assert(
    fc.property(file, (text) => {
      expect(readBlocks(text)).toEqual(blocksOf(text));
    }),
    { numRuns: 2_000 },
  );
});

test('line ends and space around a block do not count in its hash', () => {
  expect(blockHash('\r\n select 1;\r\nselect 2;\r\n')).toBe(blockHash('select 1;\nselect 2;'));
  expect(blockHash('select 1;\n\nselect 2;')).not.toBe(blockHash('select 1;\nselect 2;'));
});
