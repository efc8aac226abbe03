import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { differingRows } from '../support/compare.ts';
import type { TestDatabase } from '../support/database.ts';
import { discard, newDatabase } from '../support/databases.ts';
import { catchUp } from '../support/follow.ts';
import { installation } from '../support/installation.ts';
import { keyTypes } from '../support/key-types.ts';
import { randomTransaction } from '../support/random-statements.ts';
import { type RandomTable, randomTable } from '../support/random-tables.ts';
import { USER_TYPES } from '../support/type-values.ts';

/** A failure prints its seed: SARRIO_TEST_SEED=… runs it again. SARRIO_TEST_SECONDS=900 looks longer. */
const SEED = Number(process.env['SARRIO_TEST_SEED'] ?? Date.now() % 1_000_000_000);
const SECONDS = Number(process.env['SARRIO_TEST_SECONDS'] ?? 30);

type World = { readonly tables: readonly RandomTable[]; readonly before: readonly string[]; readonly rounds: readonly (readonly string[])[] };

let template: TestDatabase;
let keyable: readonly string[];

beforeAll(async () => {
  template = await newDatabase('template');
  await template.script(USER_TYPES);
  keyable = await keyTypes(template);
  await template.close();
  return () => discard(template);
}, 60_000);

test('whatever the tables and the statements, the target has the rows of its source', { timeout: (SECONDS + 120) * 1_000 }, async () => {
  const property = fc.asyncProperty(world(), async (each) => {
    const [source, target] = [await newDatabase('source', template.name), await newDatabase('target', template.name)];
    try {
      await play(each, source, target);
    } finally {
      await Promise.all([discard(source), discard(target)]);
    }
  });
  await fc.assert(property, { numRuns: 100_000, seed: SEED, endOnFailure: true, interruptAfterTimeLimit: SECONDS * 1_000, verbose: false });
});

afterAll(() => console.info(`random tables: seed ${SEED}`));

function world(): fc.Arbitrary<World> {
  return fc.tuple(randomTable('t', keyable), randomTable('T 2', keyable), randomTable('drei', keyable)).chain((tables) => {
    const transactions = fc.array(randomTransaction(tables), { minLength: 2, maxLength: 6, size: 'max' });
    return fc.record({ tables: fc.constant(tables), before: transactions, rounds: fc.array(transactions, { minLength: 4, maxLength: 8, size: 'max' }) });
  });
}

async function play({ tables, before, rounds }: World, source: TestDatabase, target: TestDatabase): Promise<void> {
  for (const table of tables) {
    await source.script(table.source);
    await target.script(table.target);
  }
  for (const transaction of before) await source.script(transaction);
  const sync = { mode: 'one-way', source: 'source', targets: ['target'], tables: tables.map(({ config }) => config) } as const;
  const project = await installation({ databases: { source, target }, syncs: { s: sync } });
  expect((await project.apply()).diagnostics).toEqual([]);
  const compared = tables.map((table) => table.compared);
  for (const transactions of [[], ...rounds]) {
    for (const transaction of transactions) await source.script(transaction);
    await catchUp(project);
    expect(await differingRows(source, target, ...compared)).toEqual([]);
  }
}
