import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SarrioError } from '../../src/plan/errors.ts';
import { loadGenerated } from '../../src/plan/generated-files.ts';
import { systemClock } from '../../src/runner/clock.ts';
import { handlerTables } from '../../src/runner/8-round/masters/handlers/handler-tables.ts';
import { openHandlers } from '../../src/runner/8-round/masters/handlers/handlers.ts';

/** From `generated/` to a decision: what the runner does with what was compiled. */
let folder: string;
let dir: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sarrio-handlers-'));
  dir = join(folder, 'generated');
  await cp('test/cases/handlers/expected', dir, { recursive: true });
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const FILE = 'handlers/shop.public.customers.mjs';

async function fault(): Promise<string> {
  try {
    await loadGenerated(dir);
    return 'read';
  } catch (error) {
    if (!(error instanceof SarrioError)) throw error;
    return error.message;
  }
}

test('a handler that was edited or is missing is refused like a statement', async () => {
  const text = await readFile(join(dir, FILE), 'utf8');
  await writeFile(join(dir, FILE), text.replaceAll('\n', '\r\n'));
  expect(await fault()).toBe('read');
  await writeFile(join(dir, FILE), text.replace('gold: 2', 'gold: 0'));
  expect(await fault()).toMatch(/^error SAR307: generated\/handlers\/shop.public.customers.mjs: the handler was changed after it was compiled/);
  await rm(join(dir, FILE));
  expect(await fault()).toMatch(/^error SAR307: generated\/handlers\/shop.public.customers.mjs: the plan names this file, but it is not there/);
});

test('a compiled handler decides, in the order of the plan’s columns', async () => {
  const { plan, files } = await loadGenerated(dir);
  const tables = handlerTables(plan, 'shop', 'onConflict');
  const customers = tables.find(({ table }) => table === 'public.customers');
  expect(customers?.columns).toEqual([
    { name: 'id', type: 'bigint' },
    { name: 'name', type: 'text' },
    { name: 'email', type: 'text' },
    { name: 'tier', type: 'text' },
    { name: 'points', type: 'bigint' },
    { name: 'active', type: 'boolean' },
  ]);
  const handlers = openHandlers({ tables, files, clock: systemClock });
  const version = (member: number, values: readonly string[]) => ({ member, at: BigInt(member), op: 'update', row: { isPresent: true, values } }) as const;
  const versions = [version(0, ['7', 'Ada L.', 'a@b', 'gold', '3', 't']), version(1, ['7', 'Ada', 'c@d', 'silver', '9007199254740993', 'f'])];
  const decided = await handlers.decide(customers?.ordinal ?? -1, [{ key: ['7'], versions }]);
  await handlers.close();
  expect(decided).toEqual([{ kind: 'merge', values: ['7', 'Ada L.', 'c@d', 'gold', '1000000', 'f'] }]);
});
