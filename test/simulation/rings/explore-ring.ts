import { historyNumber, isCovered } from '../../../src/plan/position.ts';
import { type Entry, historyOf, marksOf, rowAt } from '../image.ts';
import { faultsOfDecision, faultsWhenQuiet } from '../invariants.ts';
import { isFor } from '../simulated-member.ts';
import { accountOf, firstState, imageOf, isNothing, KEY, orderOf, type Ring, ringRound, type RingState, survivingAt, worldOf, writesAt } from './ring.ts';

export type RingBudget = { readonly writes: number; readonly rounds: number /** Rounds that may lose commits at some members. */; readonly losses?: number };

export type RingFound = { readonly states: number /** The shortest way to something wrong; null when there is none. */; readonly violation: string | null };

type Node = { readonly label: string; readonly state: RingState; readonly budget: Required<RingBudget>; readonly parent: Node | null };

/** So many passes of every sync after each other are enough for whatever falls quiet at all; what repeats itself never does. */
const PASSES = 40;

/** Breadth first, every way that writes and rounds can follow each other; after each state rounds go on until nothing moves, in every order of the syncs. */
export async function exploreRing(ring: Ring, budget: RingBudget): Promise<RingFound> {
  const seen = new Set<string>();
  const settled = new Map<string, readonly string[]>();
  const count = { states: 0 };
  let level: readonly Node[] = [{ label: 'start', state: firstState(ring), budget: { losses: 0, ...budget }, parent: null }];
  while (level.length > 0) {
    const next: Node[] = [];
    for (const node of level) {
      count.states += 1;
      const faults = await settledFaults(ring, node.state, settled);
      if (faults.length > 0) return { ...count, violation: [...traceOf(ring, node), ...faults].join('\n') };
      for (const step of await stepsOf(ring, node)) {
        const key = `${Object.values(step.budget)} ${canonicalOf(ring, step.state)}`;
        if (seen.has(key)) continue;
        seen.add(key);
        next.push(step);
      }
    }
    level = next;
  }
  return { ...count, violation: null };
}

async function stepsOf(ring: Ring, node: Node): Promise<readonly Node[]> {
  const { state, budget } = node;
  const steps: Node[] = [];
  if (budget.writes > 0) {
    const left = { ...budget, writes: budget.writes - 1 };
    for (const database of state.images.keys()) {
      for (const step of writesAt(ring, state, database)) steps.push({ ...step, budget: left, parent: node });
    }
  }
  if (budget.rounds === 0) return steps;
  for (const [sync, databases] of ring.syncs.entries()) {
    const round = await ringRound(ring, state, sync);
    if (isNothing(round)) continue;
    const left = { ...budget, rounds: budget.rounds - 1 };
    const label = `a round of ${databases.map((each) => `d${each}`).join(' and ')}`;
    steps.push({ label, state: round.state, budget: left, parent: node });
    if (budget.losses === 0) continue;
    const lossy = { ...left, losses: budget.losses - 1 };
    for (const lost of databases) steps.push({ label: `${label}, lost at d${lost}`, state: survivingAt(round, [lost]), budget: lossy, parent: node });
  }
  return steps;
}

/** Rounds of everybody until nothing moves, in each order. */
async function settledFaults(ring: Ring, state: RingState, settled: Map<string, readonly string[]>): Promise<readonly string[]> {
  const key = canonicalOf(ring, state);
  const known = settled.get(key);
  if (known !== undefined) return known;
  for (const order of ordersOf([...ring.syncs.keys()])) {
    const faults = await calm(ring, state, order);
    if (faults.length > 0) return faults;
  }
  settled.set(key, []);
  return [];
}

async function calm(ring: Ring, from: RingState, order: readonly number[]): Promise<readonly string[]> {
  const seen = new Map<string, number>();
  const told: string[] = [];
  let state = from;
  for (let pass = 0; pass < PASSES; pass += 1) {
    const key = canonicalOf(ring, state);
    if (seen.has(key)) return [`then round after round, for ever:`, ...told];
    seen.set(key, pass);
    let moved = false;
    for (const sync of order) {
      const round = await ringRound(ring, state, sync);
      if (isNothing(round)) continue;
      moved = true;
      state = round.state;
      told.push(`  ${(ring.syncs[sync] ?? []).map((each) => `d${each}`).join(' and ')}: ${pictureOf(state)}`);
    }
    if (!moved) return [...faultsWhenQuiet(worldOf(ring, state)), ...(ring.accounts === 'one' ? state.decisions.flatMap(faultsOfDecision) : [])];
  }
  return ['then round after round, without an end:', ...told];
}

function traceOf(ring: Ring, node: Node): readonly string[] {
  return [...(node.parent === null ? [] : traceOf(ring, node.parent)), `${node.label}: ${pictureOf(node.state)}`];
}

function pictureOf({ images }: RingState): string {
  return images.map((image, database) => `d${database}=${rowAt(image, KEY).text || '-'}`).join(' ');
}

/** The same for states in which the same can happen: rows as classes, entries that somebody has not seen with who has, the order of their times. */
function canonicalOf(ring: Ring, state: RingState): string {
  const accounts = ring.accounts === 'one' ? [0] : [...ring.syncs.keys()];
  const texts = [...new Set(state.images.map((image) => rowAt(image, KEY).text))];
  const kept = state.images.map((image, database) =>
    image.entries.flatMap((entry) => {
      const seen = accounts.flatMap((sync) => (isFor(accountOf(ring, sync), entry) ? [coverage(ring, state, { sync, database, xid: entry.xid })] : []));
      return seen.some((each) => each.includes('0')) ? [{ entry, seen }] : [];
    }),
  );
  const times = [...new Set(kept.flat().map(({ entry }) => entry.at))].sort((a, b) => (a < b ? -1 : 1));
  const line = ({ entry, seen }: { entry: Entry; seen: readonly string[] }): string =>
    `${entry.tag ?? ''}${seen.join('/')}@${ring.slow === undefined ? times.indexOf(entry.at) : state.next.time * 2n - entry.at}${nameText(ring, state, entry.of)}${entry.op === 'I' ? 'I' : ''}`;
  return state.images
    .map(
      (image, database) =>
        `${rowAt(image, KEY).text === '' ? '-' : rowAt(image, KEY).text === 'v0' ? 'v0' : texts.indexOf(rowAt(image, KEY).text)} ${(kept[database] ?? []).map(line).join(' ')}`,
    )
    .join('\n');
}

/** Who has seen a transaction of a database, as far as one account goes; only those with whom it has rounds are asked where each keeps its own. */
function coverage(ring: Ring, state: RingState, { sync, database, xid }: { sync: number; database: number; xid: bigint }): string {
  const order = orderOf(ring, sync);
  const origin = order.indexOf(database);
  if (origin < 0) return '';
  return order
    .filter((other) => other !== database)
    .map((other) => {
      const position = marksOf(imageOf(state, other), accountOf(ring, sync), KEY).get(origin);
      return position !== undefined && isCovered(position, xid) ? '1' : '0';
    })
    .join('');
}

function nameText(ring: Ring, state: RingState, name: string | null): string {
  if (name === null) return '';
  const [origin = '', xid = '0'] = name.split(':');
  const database = state.images.findIndex((_, each) => String(historyNumber(historyOf(each))) === origin);
  return `#${database}${coverage(ring, state, { sync: 0, database, xid: BigInt(xid) })}`;
}

/** Round the ring in both directions, and those that have nothing to do with each other first. */
function ordersOf(syncs: readonly number[]): readonly (readonly number[])[] {
  const apart = [...syncs.filter((sync) => sync % 2 === 0), ...syncs.filter((sync) => sync % 2 === 1)];
  return [syncs, [...syncs].reverse(), apart, [...apart].reverse()];
}
