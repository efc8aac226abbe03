import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Difference } from '../../src/runner/6-diff/differences.ts';
import { shopSync, smallShop } from '../support/shop.ts';
import type { Outcome } from '../support/run-verb.ts';

function lines({ data }: Outcome): readonly string[] {
  const { differences } = data as { differences: readonly Difference[] };
  return differences.map(({ class: kind, database, object, what }) => `${kind} ${database} ${object.kind} ${object.name}: ${what}`).sort();
}

test('what was meant, what was done by hand, what users changed and what is not ours are told apart, each by name', async () => {
  const { shop, project } = await smallShop(shopSync('public.customers', 'public.payments'));
  const before = await project.diff();
  expect(before.exit).toBe('differs');
  expect(new Set(lines(before).map((line) => line.split(' ')[0]))).toEqual(new Set(['pending']));
  await project.apply();
  expect(await project.diff()).toMatchObject({ exit: 'ok', text: 'No differences: the databases are as generated/ says.\n' });
  await shop.script(`
    drop trigger sarrio_update on payments_low;
    alter table customers disable trigger sarrio_insert;
    create or replace function sarrio.capture_public_payments() returns trigger language plpgsql security definer as $$ begin return null; end $$;
    grant select on sarrio.stream to public;
    create table payments_new partition of payments for values from (300) to (400);
    alter table customers drop constraint customers_pkey;
    alter table customers add column phone text;
    create table sarrio.notes (id int);
  `);
  const found = await project.diff();
  expect(found.exit).toBe('differs');
  expect(lines(found)).toEqual(
    [
      'drift shop function sarrio.capture_public_payments(): its catalog fingerprint is',
      'drift shop rows public.customers: trigger sarrio_insert is disabled',
      'drift shop rows public.payments: ',
      'drift shop table sarrio.stream: its catalog fingerprint is',
      'drift shop trigger sarrio_insert on public.customers: its catalog fingerprint is',
      'drift shop trigger sarrio_update on public.payments_low: apply installed it, but it is gone',
      'foreign shop table sarrio.notes: is not ours and is left alone',
      'skew shop column public.customers.phone: is new since the last `sarrio pull`',
      'skew shop table public.customers: no valid unique index stands on the key (id)',
      'skew shop table public.customers: was changed since the last `sarrio pull`',
      'skew shop table public.payments: partition public.payments_new is new: what is written to it directly is not captured',
    ].map((start) => expect.stringMatching(new RegExp(`^${start.replace(/[.()[\]]/g, '\\$&')}`))),
  );
  expect(lines(found).join('\n')).toMatch(/sarrio_insert on public\.customers: .*: it is disabled/);
  expect(lines(found).join('\n')).toMatch(/sarrio\.stream: .*: others have other rights on it than the config says/);
  expect(lines(await project.diff('--only', 'foreign,skew')).length).toBe(5);
  await writeFile(join(project.dir, 'ignored'), '# made by the vendor\nforeign * table sarrio.notes\nskew shop *\ndrift * *\n');
  expect((await project.diff('--ignore', 'ignored')).exit).toBe('ok');
  expect((await project.diff('--ignore', 'absent')).diagnostics.map(({ code }) => code)).toEqual(['SAR517']);
  await project.compile(shopSync('public.payments', 'public.orders'));
  const mixed = lines(await project.diff('--only', 'pending'));
  expect(mixed).toContain('pending shop table sarrio.delta_public_orders: not installed');
  expect(mixed).toContain('pending shop function sarrio.capture_public_customers(): the plan no longer has it');
  expect(mixed.filter((line) => line.includes('sarrio.stream'))).toEqual([]);
});
