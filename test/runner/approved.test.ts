import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readHeader } from '../../src/commands/change-plan/comment-header.ts';
import { ourObjects } from '../support/catalog.ts';
import { shopSync, smallShop } from '../support/shop.ts';

type Data = { readonly id: string };
const idOf = (data: unknown): string => (data as Data).id;

describe('an approval binds what is applied:', () => {
  test('a plan that is no longer what was approved is refused, with the difference', async () => {
    const { shop, project } = await smallShop(shopSync('public.orders'));
    const planned = await project.plan('--out', 'approved.json');
    const file = join(project.dir, 'approved.json');
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ format: '1.0', id: idOf(planned.data), project: 'sarrio' });
    await project.compile(shopSync('public.orders', 'public.customers'));
    const nothing = await ourObjects(shop);
    const stale = await project.apply('--plan', 'approved.json');
    expect(stale.exit).toBe('refused');
    expect(stale.diagnostics[0]).toMatchObject({ code: 'SAR503' });
    expect(stale.diagnostics[0]?.message).toContain('now also: shop: create table sarrio.delta_public_customers');
    expect(stale.diagnostics[0]?.message).toContain('with other statements: shop: record terms shop');
    expect(await ourObjects(shop)).toEqual(nothing);
    const wrong = await project.apply('--expect', 'f'.repeat(64));
    expect(wrong.exit).toBe('refused');
    expect(wrong.diagnostics[0]?.message).toContain('would do: copy: create schema sarrio');
    await project.compile(shopSync('public.orders'));
    expect((await project.apply('--plan', 'approved.json')).exit).toBe('ok');
    expect((await project.apply('--plan', 'approved.json')).diagnostics[0]?.message).toContain('no longer: copy: create schema sarrio');
  });

  test('the comment of a pull request approves what it shows, and nothing when it shows only a part', async () => {
    const { project } = await smallShop(shopSync('public.orders'));
    const comment = await project.plan('--format', 'markdown', '--environment', 'staging');
    const header = readHeader(comment.text);
    expect(header).toMatchObject({ environment: 'staging', change: idOf(comment.data), truncated: false });
    expect(comment.text).toContain('SHARE ROW EXCLUSIVE on public.orders');
    await writeFile(join(project.dir, 'part.md'), comment.text.replace('"truncated":false', '"truncated":true'));
    await writeFile(join(project.dir, 'whole.md'), comment.text.replaceAll('\n', '\r\n'));
    expect((await project.apply('--plan', 'part.md')).diagnostics.map(({ code }) => code)).toEqual(['SAR516']);
    const applied = await project.apply('--plan', 'whole.md');
    expect(applied.exit).toBe('ok');
    expect((await project.plan('--format', 'markdown')).text).toContain('No changes');
  });

  test('what is no change plan is invalid, and nothing is contacted', async () => {
    const { shop, project } = await smallShop(shopSync('public.orders'));
    for (const text of [null, 'hello', '{"format":"9.0","id":"x","steps":[]}', '{"format":"1.0","id":"x"}']) {
      if (text !== null) await writeFile(join(project.dir, 'bad.json'), text);
      const outcome = await project.apply('--plan', text === null ? 'absent.json' : 'bad.json');
      expect(outcome.exit, String(text)).toBe('invalid');
      expect(outcome.diagnostics.map((each) => each.code)).toEqual(['SAR515']);
    }
    expect(await ourObjects(shop)).toEqual([]);
  });

  test('statistics, times and rows of users do not change the id', async () => {
    const { shop, project } = await smallShop(shopSync('public.orders'));
    const before = await project.plan();
    await shop.script("insert into orders select g, 1, 'x' from generate_series(1, 500) as g; analyze orders");
    const after = await project.plan();
    expect(idOf(after.data)).toBe(idOf(before.data));
    expect(before.text).toContain('SHARE ROW EXCLUSIVE on public.orders, never analyzed');
    expect(after.text).toContain('SHARE ROW EXCLUSIVE on public.orders, about 500 rows');
    expect(after.text).toContain('Then `sarrio run` copies:\n  shop: public.orders from shop to copy, about 500 rows, less than 1 s');
  });
});

describe('hazards', () => {
  test('of a column, a filter and their approval in the config', async () => {
    const { project } = await smallShop({ shop: { ...onlyShop(), tables: [{ table: 'public.orders', columns: { omit: ['note'] } }] } });
    await project.apply();
    await project.compile({ shop: { ...onlyShop(), tables: [{ table: 'public.orders', where: 'line > 1' }] } });
    const planned = await project.plan('--exit-code');
    expect(planned.exit).toBe('refused');
    expect(planned.text).toContain(
      "expose-column:shop/public.orders.note  (database shop: column note leaves the source: note)\n    not approved: --allow 'expose-column:shop/public.orders.note'",
    );
    const refused = await project.apply();
    expect(refused.exit).toBe('refused');
    expect(refused.diagnostics.map(({ code, message }) => `${code} ${message}`)).toEqual([
      'SAR502 expose-column:shop/public.orders.note is not approved: column note leaves the source: note',
      'SAR502 change-filter:shop/public.orders is not approved: rows: all becomes line > 1',
    ]);
    const allowed = ['--allow', 'expose-column:shop/public.orders.note', '--allow', 'change-filter:shop/public.orders'];
    expect((await project.plan('--exit-code', ...allowed)).exit).toBe('differs');
    expect((await project.apply(...allowed)).exit).toBe('ok');
    expect((await project.plan('--exit-code')).exit).toBe('ok');
  });

  test('of a lock that would last are named, bounded, and do not depend on the id', async () => {
    const { shop, project } = await smallShop(shopSync('public.payments'));
    await project.apply();
    await shop.script('create table payments_more partition of payments for values from (200) to (300)');
    await project.compile();
    const before = await project.plan();
    await shop.script("update pg_class set reltuples = 9e6 where relname = 'payments_more'");
    const large = await project.plan();
    expect(large.text).toContain(
      'lock-table:public.payments_more  (database shop: SHARE ROW EXCLUSIVE while the keys of about 9000000 rows are recorded, for about 30 s)',
    );
    expect(idOf(large.data)).toBe(idOf(before.data));
    expect((await project.apply()).diagnostics.map(({ code }) => code)).toContain('SAR502');
    expect((await project.apply('--allow', 'lock-table:public.payments_more')).exit).toBe('ok');
  });

  test('of objects under our names that no apply has recorded', async () => {
    const { shop, project } = await smallShop(shopSync('public.orders'));
    await shop.script('create schema sarrio; create table sarrio.stream (precious int)');
    const refused = await project.apply();
    expect(refused.diagnostics.map(({ code, message }) => `${code} ${message}`)).toEqual([
      'SAR502 adopt-objects:shop is not approved: table sarrio.stream stands and no apply has recorded it; it would be replaced and taken for ours',
    ]);
    expect(await shop.query('select * from sarrio.stream')).toEqual([]);
  });
});

test('every format of a plan, and the events of an apply', async () => {
  const { project } = await smallShop(shopSync('public.orders'));
  const sql = await project.plan('--format', 'sql');
  expect(sql.text).toContain('-- database shop: public.orders (locks: SHARE ROW EXCLUSIVE on public.orders');
  expect(sql.text).toContain('create trigger sarrio_insert');
  const applied = await project.apply('--format', 'ndjson');
  expect(applied.text).toBe('');
  const events = applied.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { event: string });
  expect(events[0]).toMatchObject({ event: 'group-started', database: 'copy', group: 'sarrio', number: 1 });
  expect(events.at(-1)).toMatchObject({ event: 'finished', exit: 'ok', data: { project: 'sarrio' } });
  const refused = await project.apply('--format', 'ndjson', '--expect', 'x');
  expect(
    refused.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toMatchObject([{ event: 'finished', exit: 'refused', diagnostics: [{ code: 'SAR503' }] }]);
});

function onlyShop() {
  return { mode: 'one-way', source: 'shop', targets: ['copy'] } as const;
}
