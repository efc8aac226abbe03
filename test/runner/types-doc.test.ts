import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { INCOMPARABLE, LOCAL, WITHOUT_INPUT } from '../../src/compiler/3-check/special-types.ts';
import { transferOf } from '../../src/runner/5-inspect/transfer.ts';
import { root } from '../support/build.ts';
import type { TestDatabase } from '../support/database.ts';
import { freshDatabase } from '../support/databases.ts';
import { TYPE_VALUES } from '../support/type-values.ts';

type BuiltIn = { readonly name: string; readonly type: string };

const MEANING = { name: 'by name', number: 'exact, of local meaning', none: 'exact' } as const;

/** Base, range and multirange types of the server; arrays go with their elements. */
const BUILT_IN = `
  select t.typname as name, format_type(t.oid, null) as type from pg_type as t
  where t.typnamespace = 'pg_catalog'::regnamespace and t.typtype in ('b', 'r', 'm') and not exists (select from pg_type as e where e.typarray = t.oid)
  order by 1`;

test('docs/types.md has every built-in type of the server, and says of each what holds', async () => {
  const probe = await freshDatabase('probe');
  const found: Record<string, string> = {};
  for (const { name, type } of await probe.query<BuiltIn>(BUILT_IN)) found[type] = await rowOf(probe, { name, type });
  expect(await documented()).toEqual(found);
});

test('there are values of every built-in type, so that the tests carry them', async () => {
  const probe = await freshDatabase('probe');
  const written = Object.keys(TYPE_VALUES).filter((type) => !/^(public|information_schema|"Odd)/.test(type));
  const named = await Promise.all(
    written.map((type) => probe.query<{ type: string }>(`select format_type('${type.replace(/ collate.*/, '')}'::regtype, null) as type`)),
  );
  const covered = new Set(named.map(([row]) => row?.type));
  const types = await probe.query<BuiltIn>(BUILT_IN);
  expect(types.map(({ type }) => type).filter((type) => !covered.has(type) && !WITHOUT_INPUT.has(type))).toEqual([]);
});

async function rowOf(probe: TestDatabase, { name, type }: BuiltIn): Promise<string> {
  if (WITHOUT_INPUT.has(type)) return 'refused';
  const isKey = await probe.query(`drop table if exists t; create table t (k ${type} primary key)`).then(
    () => true,
    () => false,
  );
  // What the checks of the compiler hold about keys is what the server says.
  expect([type, INCOMPARABLE.has(type)]).toEqual([type, !isKey]);
  const meaning = MEANING[LOCAL.get(type) ?? 'none'];
  return `${meaning} | ${transferOf({ isBuiltIn: true, baseType: name })} | ${isKey ? 'yes' : 'no'}`;
}

/** Types in backticks in the first cell -> the other cells. */
async function documented(): Promise<Readonly<Record<string, string>>> {
  const text = await readFile(join(root, 'docs/types.md'), 'utf8');
  const rows = text.split('\n').filter((line) => /^\| `/.test(line));
  return Object.fromEntries(
    rows.flatMap((row) => {
      const [, names = '', ...cells] = row.split('|').map((cell) => cell.trim());
      return [...names.matchAll(/`([^`]+)`/g)].map((match) => [match[1] ?? '', cells.filter(Boolean).join(' | ')]);
    }),
  );
}
