import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { CASES } from '../compiler/case-names.ts';
import { root } from '../support/build.ts';
import { openEditor } from './editor.ts';

const demo = { name: 'the demo', folder: root, types: 'generated/schema.d.ts' };
const cases = ['handlers', 'merging', 'full-copy'].map((name) => ({ name, folder: resolve(CASES, name), types: 'expected/schema.d.ts' }));

test.each([demo, ...cases])('a config with the types of its own databases: $name', ({ folder, types }) => {
  const editor = openEditor({}, folder);
  expect(editor.faults(join(folder, types))).toEqual([]);
  expect(editor.faults(join(folder, 'replication.config.ts'))).toEqual([]);
});
