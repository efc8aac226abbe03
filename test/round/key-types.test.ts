import { describe, expect, test } from 'vitest';
import { freshDatabase } from '../support/databases.ts';
import { keyTypes } from '../support/key-types.ts';
import { replicated } from '../support/runner.ts';
import { share } from '../support/share.ts';
import { TYPE_VALUES, USER_TYPES } from '../support/type-values.ts';

type KeyType = { readonly name: string; readonly type: string; readonly values: readonly string[] };

async function namedKeyTypes(): Promise<readonly KeyType[]> {
  const probe = await freshDatabase('probe');
  await probe.script(USER_TYPES);
  return (await keyTypes(probe)).map((type, index) => ({ name: `k${index}`, type, values: TYPE_VALUES[type] ?? [] }));
}

describe.each([
  ['alone', 'k', 1],
  ['in a composite key, staged', 'k, g', 130],
])('every type that can be a key, %s', (_, key, copies) => {
  test('rows come, change, change their key, go and come again', { timeout: 240_000 }, async () => {
    const known = await namedKeyTypes();
    expect(known.length).toBeGreaterThan(75);
    const types = share(known, 3);
    const each = (statement: (type: KeyType) => string): string => types.map(statement).join(';\n');
    const ddl = `${USER_TYPES} ${each(({ name, type }) => `create table ${name} (k ${type}, g integer not null, v text, primary key (${key}))`)}`;
    const tables = types.map(({ name }) => `public.${name}`);
    const { follows } = await replicated(ddl, { tables, compared: tables });
    const rows = (v: string) => (value: { name: string; type: string; at: string }) =>
      `insert into ${value.name} select (${value.at})::${value.type}, g, '${v}' from generate_series(1, ${copies}) g on conflict do nothing`;
    const all = (v: string) => each(({ name, type, values }) => values.map((at) => rows(v)({ name, type, at })).join(';\n'));
    await follows(all('first'));
    await follows(each(({ name }) => `update ${name} set v = 'second'`));
    // Every key becomes the next value that is not taken, then the first is deleted: keys that are equal and spelled differently among them.
    await follows(
      each(
        ({ name, type, values }) =>
          `delete from ${name} where g % 2 = 0; delete from ${name} where k = (${values[0]})::${type}; update ${name} set k = (${values[0]})::${type}, v = 'third' where g = 1 and k = (${values.at(-1)})::${type}`,
      ),
    );
    await follows(
      each(
        ({ name, type, values }) =>
          `update ${name} set k = (${values.at(-1)})::${type} where k = (${values[0]})::${type} and g = 1 and not exists (select from ${name} as o where o.k = (${values.at(-1)})::${type} and o.k <> (${values[0]})::${type})`,
      ),
    );
    await follows(`${each(({ name }) => `delete from ${name} where g % 3 = 1`)}; ${all('fourth')}`);
    await follows(each(({ name }) => `delete from ${name}`));
  });
});
