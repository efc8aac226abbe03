import { expect, test } from 'vitest';
import { entriesOf, faultsOfDecision, faultsWhenQuiet } from './invariants.ts';
import { applicationActs, crashSome, type Landscape, makeLandscape, purgeSome, roundOf, type Settings, worldOf } from './landscape.ts';
import { commit, write } from './image.ts';
import { type Random, randomFrom } from './random.ts';

/**
 * Long random runs where exhaustion is out of reach: four and five members, many keys, several syncs over the same databases, two
 * runners at once, calls that fail, commits that are not answered. SARRIO_SEED=n repeats the run of that seed, SARRIO_FROM=n begins with
 * another one than the first: among some hundred, rule 3 of ARCHITECTURE meets its exception (a decision that a lost commit has forgotten with
 * SARRIO_SEED=633148). 35 has a row of more than sixteen changes since somebody saw it last.
 */

const RUNS = 40;
const STEPS = 80;
const first = Number(process.env['SARRIO_SEED'] ?? process.env['SARRIO_FROM'] ?? 1);
const runs = process.env['SARRIO_SEED'] === undefined ? RUNS : 1;
console.log(`random rounds: ${runs} runs each from SARRIO_SEED=${first}`);

const RING = [
  [0, 1],
  [1, 2],
  [2, 0],
];
const LAST = { strategy: 'last-update-wins' } as const;
const pairs = (list: readonly (readonly number[])[]): Settings['syncs'] => list.map((databases) => ({ databases, rule: LAST }));

/** Where a change can arrive on one way only, a rule must never be shown a row and what was made of it. */
type Shape = Settings & { readonly name: string; readonly isTree: boolean };

const SHAPES: readonly Shape[] = [
  { name: 'four members, last update wins', isTree: true, databases: 4, keys: 6, skew: 5, syncs: [{ databases: [0, 1, 2, 3], rule: LAST }] },
  {
    name: 'five members, first update wins',
    isTree: true,
    databases: 5,
    keys: 4,
    syncs: [{ databases: [0, 1, 2, 3, 4], rule: { strategy: 'first-update-wins' } }],
  },
  {
    name: 'five members, by preference',
    isTree: true,
    databases: 5,
    keys: 4,
    syncs: [{ databases: [4, 2, 0, 1, 3], rule: { strategy: 'prefer', databases: ['d3', 'd2'] } }],
  },
  {
    name: 'a star of syncs',
    isTree: true,
    databases: 4,
    keys: 4,
    syncs: pairs([
      [0, 1],
      [0, 2],
      [3, 0],
    ]),
  },
  {
    name: 'a chain of syncs',
    isTree: true,
    databases: 4,
    keys: 4,
    syncs: pairs([
      [0, 1],
      [2, 1],
      [2, 3],
    ]),
  },
  {
    name: 'a chain of syncs of three, by preference',
    isTree: true,
    databases: 5,
    keys: 4,
    syncs: [
      { databases: [0, 1, 2], rule: { strategy: 'prefer', databases: ['d1', 'd2'] } },
      { databases: [4, 2, 3], rule: { strategy: 'prefer', databases: ['d2', 'd4'] } },
    ],
  },
  { name: 'a ring of syncs', isTree: true, isRing: true, databases: 3, keys: 4, skew: 5, syncs: pairs(RING) },
  {
    name: 'a ring of four syncs',
    isTree: true,
    isRing: true,
    databases: 4,
    keys: 4,
    skew: 5,
    syncs: pairs([
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 0],
    ]),
  },
  {
    name: 'a ring of four syncs, first update wins',
    isTree: true,
    isRing: true,
    databases: 4,
    keys: 4,
    skew: 5,
    syncs: [
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 0],
    ].map((databases) => ({ databases, rule: { strategy: 'first-update-wins' } })),
  },
  {
    name: 'a ring of syncs of three',
    isTree: true,
    isRing: true,
    databases: 5,
    keys: 5,
    skew: 5,
    syncs: pairs([
      [0, 1, 2],
      [2, 3, 4],
      [4, 0, 1],
    ]),
  },
  {
    name: 'a sync of three and one of two that share two databases',
    isTree: true,
    isRing: true,
    databases: 3,
    keys: 4,
    skew: 5,
    syncs: pairs([
      [0, 1, 2],
      [1, 2],
    ]),
  },
];

test.each(SHAPES)('$name', async ({ name, isTree, ...settings }) => {
  for (let seed = first; seed < first + runs; seed += 1) {
    const faults = await run(randomFrom(seed), settings, isTree);
    expect(faults, `${name}, SARRIO_SEED=${seed}`).toEqual([]);
  }
});

/** Each of the two paths is right by itself: on one of them the older row has seen the newer one, on the other it has not. */
test('in a ring whose syncs keep no common account two changes of one row can follow each other for ever', async () => {
  const settings: Settings = { databases: 3, keys: 1, syncs: pairs(RING) };
  const found: string[] = [];
  for (let seed = 1; seed <= 500 && !found.includes('never quiet'); seed += 1) found.push(...(await run(randomFrom(seed), settings, false)));
  expect(found).toContain('never quiet');
});

test('a change goes once round a ring; where tags are ignored it echoes', async () => {
  expect(await passesUntilQuiet({ databases: 3, keys: 2, syncs: pairs(RING), isRing: true })).toBe(1);
  expect(await passesUntilQuiet({ databases: 3, keys: 2, syncs: pairs(RING), ignoresTags: true })).toBeGreaterThan(1);
});

async function passesUntilQuiet(settings: Settings): Promise<number> {
  const landscape = makeLandscape(randomFrom(1), settings);
  const [server] = landscape.servers;
  if (server !== undefined) server.image = write(server.image, [{ key: '1/1', text: 'v1', version: 1, at: 1n }]);
  const passes = { count: 0 };
  while (!(await isQuiet(landscape))) passes.count += 1;
  return passes.count;
}

async function run(random: Random, settings: Settings, isTree: boolean): Promise<readonly string[]> {
  const landscape = makeLandscape(random, settings);
  for (let step = 0; step < STEPS; step += 1) await disturbed(landscape, 0);
  return [...(isTree ? landscape.decisions.flatMap(faultsOfDecision) : []), ...(await calmed(landscape))];
}

/** Something happens: an application, a crash, a round in the middle of which something happens. */
async function disturbed(landscape: Landscape, depth: number): Promise<void> {
  const { random, syncs } = landscape;
  if (random.chance(0.03)) crashSome(landscape);
  if (random.chance(0.2)) purgeSome(landscape);
  if (random.chance(0.6)) applicationActs(landscape);
  if (depth > 1 || random.chance(0.4)) return;
  const between = async (): Promise<void> => {
    if (random.chance(0.15)) await disturbed(landscape, depth + 1);
  };
  await roundOf(landscape, random.pick(syncs), { isCalm: false, between });
}

/** Applications end, everybody is up: after some rounds of each sync nothing moves any more. */
async function calmed(landscape: Landscape): Promise<readonly string[]> {
  for (const server of landscape.servers) for (const transaction of server.image.open) server.image = commit(server.image, transaction);
  for (let pass = 0; pass < 4 * landscape.servers.length; pass += 1) {
    if (await isQuiet(landscape)) return [...faultsWhenQuiet(worldOf(landscape)), ...(await echoes(landscape))];
  }
  return ['never quiet'];
}

async function isQuiet(landscape: Landscape): Promise<boolean> {
  const calm = { isCalm: true, between: async () => undefined };
  let quiet = true;
  for (const sync of landscape.syncs) {
    const first = await roundOf(landscape, sync, calm);
    const result = 'kind' in first && first.kind === 'again' ? await roundOf(landscape, sync, calm) : first;
    quiet &&= 'kind' in result && result.kind === 'nothing';
  }
  return quiet;
}

async function echoes(landscape: Landscape): Promise<readonly string[]> {
  const before = entriesOf(worldOf(landscape));
  return (await isQuiet(landscape)) && entriesOf(worldOf(landscape)) === before ? [] : ['an echo'];
}
