import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CASES } from '../compiler/case-names.ts';
import { root } from '../support/build.ts';
import { openEditor } from './editor.ts';

test.each([
  ['the demo', root, 'generated/schema.d.ts'] as const,
  ...['handlers', 'merging', 'full-copy'].map((name) => [name, join(CASES, name), 'expected/schema.d.ts'] as const),
])('a config with the types of its own databases: %s', (_, folder, types) => {
  const editor = openEditor({}, folder);
  expect(editor.faults(join(folder, types))).toEqual([]);
  expect(editor.faults(join(folder, 'replication.config.ts'))).toEqual([]);
});
