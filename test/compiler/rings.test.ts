import { expect, test } from 'vitest';
import type { ModelMultiMaster } from '../../src/compiler/2-model/model.ts';
import { ringsOf } from '../../src/compiler/2-model/rings.ts';

/** Syncs over one table each, by their members: `a b`. */
function syncs(list: Readonly<Record<string, string>>, table = 't'): readonly ModelMultiMaster[] {
  const tables = [{ reference: { source: { schema: 'public', name: table } } }];
  return Object.entries(list).map(([name, members]) => ({ mode: 'multi-master', name, members: members.split(' '), tables }) as unknown as ModelMultiMaster);
}

const found = (list: readonly ModelMultiMaster[]): readonly string[] =>
  ringsOf(list).map(({ account, syncs: all, databases }) => `${account}: ${all.map(({ name }) => name).join(' ')} (${databases.join(' ')})`);

test.each([
  ['a star', { s1: 'a b', s2: 'a c', s3: 'a d' }, []],
  ['a chain', { s1: 'a b', s2: 'b c', s3: 'c d' }, []],
  ['a ring', { s1: 'a b', s2: 'b c', s3: 'c a' }, ['ring:s1: s1 s2 s3 (a b c)']],
  ['a ring with a tail, which is none of it', { s1: 'a b', s2: 'b c', s3: 'c a', s4: 'a x', s5: 'x y' }, ['ring:s1: s1 s2 s3 (a b c)']],
  ['a ring of syncs of three, with what hangs on by one', { s1: 'a b x', s2: 'b c y', s3: 'c a' }, ['ring:s1: s1 s2 s3 (a b x c y)']],
  ['two that share two', { s1: 'a b c', s2: 'b c' }, ['ring:s1: s1 s2 (a b c)']],
  ['two rings apart', { s1: 'a b', s2: 'a b', t1: 'c d', t2: 'c d' }, ['ring:s1: s1 s2 (a b)', 'ring:t1: t1 t2 (c d)']],
])('%s', (_, list, expected) => {
  expect(found(syncs(list))).toEqual(expected);
});

test('syncs over different tables are no ring', () => {
  expect(found([...syncs({ s1: 'a b', s2: 'b c' }), ...syncs({ s3: 'c a' }, 'u')])).toEqual([]);
});
