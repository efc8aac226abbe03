import type { PlainRule } from '../../../src/plan/conflict-rule.ts';
import { masterRound } from '../../../src/runner/8-round/masters/master-round.ts';
import type { ConflictRecord, Member, SettledRow } from '../../../src/runner/8-round/masters/member.ts';
import { ONE_CLOCK } from '../round.ts';
import { type MergingPeers, mergingMember } from './merging-member.ts';
import { COLUMNS, FIRST, type Side, updated } from './side.ts';
import type { Ruling } from '../../../src/runner/8-round/masters/ruling.ts';

/** All members between two steps, and what is known of the values that were ever written. */
export type MergingWorld = {
  readonly sides: readonly Side[];
  /** Sum of all that applications have added: a power of two for each change, so that what is missing or there twice shows. */
  readonly added: bigint;
  readonly time: bigint;
  /** By value of a or b: the values that it was written over, one after the other. */
  readonly ancestors: ReadonlyMap<string, ReadonlySet<string>>;
  /** Values that a decision has chosen without. */
  readonly overruled: ReadonlySet<string>;
  /** Values that a decision chose between of which not every commit survived: where it was lost nobody knows that it was made. */
  readonly reopened: ReadonlySet<string>;
  readonly faults: readonly string[];
};

export function firstMergingWorld(members: number): MergingWorld {
  const ancestors = new Map(['a0', 'b0'].map((value) => [value, new Set<string>()]));
  return { sides: Array.from({ length: members }, () => FIRST), added: 0n, time: 1n, ancestors, overruled: new Set(), reopened: new Set(), faults: [] };
}

/** An application changes one column of the row at one member. */
export function wrote(world: MergingWorld, member: number, column: (typeof COLUMNS)[number]): MergingWorld {
  const side = sideAt(world, member);
  const place = COLUMNS.indexOf(column);
  const before = side.values[place] ?? '';
  const amount = 1n << world.time;
  const value = column === 'stock' ? String(BigInt(before) + amount) : `${column}${world.time}`;
  const values = side.values.map((each, index) => (index === place ? value : each));
  const ancestors = column === 'stock' ? world.ancestors : new Map([...world.ancestors, [value, new Set([...(world.ancestors.get(before) ?? []), before])]]);
  const added = column === 'stock' ? world.added + amount : world.added;
  return { ...withSide(world, member, updated(side, values, world.time)), added, ancestors, time: world.time + 1n };
}

/** The rule as it is, or members with something wrong. */
export type MergingVariant = { readonly otherwise: PlainRule; readonly wrap?: (member: Member) => Member };

const REFUSED = { code: '23514', message: 'refused', constraint: null, detail: null, table: null };

function keeping(member: number): Ruling {
  return { table: 0, key: ['k'], member, error: REFUSED, shown: [], decision: { kind: 'keep', member } };
}

/** A round of some members, after which only these of them have kept their commit; `kept`: the row of this one was ruled to stand. */
export async function merged(
  world: MergingWorld,
  step: { present: readonly number[]; survivors: readonly number[]; isStopped?: boolean; kept?: number },
  variant: MergingVariant,
): Promise<MergingWorld> {
  const { otherwise, wrap = (member) => member } = variant;
  const peers: MergingPeers = new Map();
  const records: { readonly record: ConflictRecord; readonly row: SettledRow }[] = [];
  const members = step.present.map((index) => {
    const member = wrap(mergingMember(index, sideAt(world, index), peers));
    const settle: Member['settle'] = async (table, rows) => {
      for (const row of rows) if (row.record !== null && index === step.present[0]) records.push({ record: row.record, row });
      await member.settle(table, rows);
    };
    return { ...member, settle };
  });
  const known = new Map(
    step.present.map((index) => [index, { watermarks: sideAt(world, index).watermarks, held: sideAt(world, index).held, copiedXid: 0n, noted: null }]),
  );
  await masterRound({
    members,
    databases: world.sides.map((_, index) => `d${index}`),
    rules: [{ strategy: 'counters', counters: ['stock'], otherwise: { strategy: 'columns', otherwise } }],
    known,
    keys: [],
    stopped: new Set(step.isStopped ? [0] : []),
    lock: [],
    keep: [],
    ...ONE_CLOCK,
    rulings: { all: () => (step.kept === undefined ? [] : [keeping(step.kept)]), drop: () => undefined },
    columns: [COLUMNS],
    newId: () => 'c',
    failpoint: async () => undefined,
  });
  const after = step.present.reduce((sum, index) => {
    const done = peers.get(index)?.after;
    // A transaction that did not survive has used its id.
    const lost = { ...sideAt(world, index), nextXid: (peers.get(index)?.xid ?? 0n) > 0n ? (peers.get(index)?.xid ?? 0n) + 1n : sideAt(world, index).nextXid };
    return withSide(sum, index, done && step.survivors.includes(index) ? done : lost);
  }, world);
  if (step.survivors.length === 0) return after;
  const decided = records.reduce(judged, after);
  const chosenBetween =
    step.survivors.length === step.present.length ? [] : records.flatMap(({ record }) => record.versions.flatMap(({ row }) => row.values.map(String)));
  return { ...decided, reopened: new Set([...decided.reopened, ...chosenBetween]) };
}

/** A value must not be chosen over one that was written in its place; what was chosen without is overruled. */
function judged(world: MergingWorld, { record, row }: { record: ConflictRecord; row: SettledRow }): MergingWorld {
  const faults: string[] = [];
  const overruled = new Set(world.overruled);
  for (const place of [2, 3]) {
    const chosen = row.row.values[place] ?? '';
    for (const version of record.versions) {
      const value = version.row.values[place] ?? '';
      if (world.ancestors.get(value)?.has(chosen) && !world.reopened.has(chosen))
        faults.push(`${chosen} was chosen over ${value}, which was written in its place`);
      const kept = world.ancestors.get(chosen) ?? new Set();
      for (const each of [value, ...(world.ancestors.get(value) ?? [])]) if (each !== chosen && !kept.has(each)) overruled.add(each);
    }
  }
  return { ...world, overruled, faults: [...world.faults, ...faults] };
}

/** Everybody is up: two rounds bring everything everywhere. */
export async function faultsAfterRecovery(world: MergingWorld, variant: MergingVariant): Promise<readonly string[]> {
  const everybody = world.sides.map((_, index) => index);
  const once = await merged(world, { present: everybody, survivors: everybody }, variant);
  const quiet = await merged(once, { present: everybody, survivors: everybody }, variant);
  const [first = FIRST, ...others] = quiet.sides;
  const values = first.values;
  const written = [...quiet.ancestors.keys()];
  const kept = (value: string): boolean => values.slice(2).some((each) => each === value || quiet.ancestors.get(each)?.has(value));
  return [
    ...quiet.faults,
    ...(others.some((side) => side.values.join() !== values.join()) ? [`members differ: ${quiet.sides.map((side) => side.values.join()).join(' | ')}`] : []),
    ...(BigInt(values[1] ?? '0') === quiet.added ? [] : [`the stock is ${values[1]}, and ${quiet.added} was added`]),
    ...written.filter((value) => !kept(value) && !quiet.overruled.has(value)).map((value) => `${value} is lost`),
    ...(quiet.sides.some((side, index) => side.entries.length > (once.sides[index]?.entries.length ?? 0)) ? ['never quiet'] : []),
  ];
}

function sideAt({ sides }: MergingWorld, member: number): Side {
  const side = sides[member];
  if (side === undefined) throw new Error(`no member ${member}`);
  return side;
}

function withSide(world: MergingWorld, member: number, side: Side): MergingWorld {
  return { ...world, sides: world.sides.map((each, index) => (index === member ? side : each)) };
}
