import { beforeAll, expect, test } from 'vitest';
import type { MultiMasterSync } from '../../src/index.ts';
import { type Standing, standing } from '../support/standing.ts';

/** The scenario of Bucardo's `t/50-star.t`: a hub with eighteen leaves, each in a multi-master sync of its own with the hub. */
const LEAVES = Array.from({ length: 18 }, (_, index) => `leaf${index + 1}`);
const NAMES = ['hub', ...LEAVES];
const SCHEMA = 'create table t (id integer primary key, v text);';

const star = (leaf: string): MultiMasterSync => ({ mode: 'multi-master', members: ['hub', leaf], tables: ['public.t'], onConflict: 'last-update-wins' });

const stage: { standing?: Standing<string> } = {};

beforeAll(async () => {
  const schemas = Object.fromEntries(NAMES.map((name) => [name, SCHEMA]));
  const standingNow = await standing(schemas, Object.fromEntries(LEAVES.map((leaf) => [`with_${leaf}`, star(leaf)])));
  stage.standing = standingNow;
  return standingNow.dispose;
}, 120_000);

test('a row of the hub reaches every leaf, a row of each leaf the hub and all other leaves, and then all is quiet', { timeout: 120_000 }, async () => {
  const { standing: now } = stage;
  if (now === undefined) throw new Error('nothing stands');
  await now.at['hub']?.script("insert into t values (0, 'hub')");
  await now.settle();
  expect(await now.differences(NAMES, ['public.t'])).toEqual([]);
  for (const [index, leaf] of LEAVES.entries())
    await now.at[leaf]?.script(`insert into t values (${index + 1}, '${leaf}'); update t set v = '${leaf}' where id = 0`);
  await now.settle();
  expect(await now.differences(NAMES, ['public.t'])).toEqual([]);
  expect(await now.at['leaf9']?.query('select count(*)::int as rows from t')).toEqual([{ rows: NAMES.length }]);
  expect((await now.settle()).filter(({ kind }) => kind === 'masters-round')).toEqual([]);
});
