import type { ChangeName } from '../../src/conflict/change-names.ts';
import { historyNumber, isCovered, type Position } from '../../src/plan/position.ts';
import { bit, type Entry, historyOf, type Image, marksOf, type Row, rowAt, type Versions } from './image.ts';
import { losers, overruled, writesOf } from './invariants.ts';
import { isFor } from './simulated-member.ts';
import { imageOf, membersOf, sideOf, SYNC, type World } from './world.ts';

/** An image that can still matter: what a member holds, or what a crash would leave of it. */
type Slot = { readonly member: number; readonly image: Image };

/**
 * The same for worlds in which the same can happen. Numbers of transactions, versions and conflicts do not count, only how they relate:
 * which watermarks cover an entry, which rows have seen a change that must not be lost. Members may change places.
 */
export function canonical(world: World, { isSymmetric, canCrash }: { readonly isSymmetric: boolean; readonly canCrash: boolean }): string {
  const members = membersOf(world);
  const orders = isSymmetric ? ordersOf(world, members) : [members];
  const facts = factsOf(world);
  const texts = orders.map((order) =>
    textOf(
      facts,
      order.flatMap((member) => slotsOf(world, member, canCrash)),
    ),
  );
  return [...texts].sort()[0] ?? '';
}

/** What is the same in whatever order the members stand. */
type Facts = { readonly world: World; readonly lost: ReadonlySet<string>; readonly needed: ReadonlyMap<string, readonly number[]> };

function factsOf(world: World): Facts {
  const wanted = versionsIn(world, writesOf(world) & ~overruled(world));
  const needed = world.keys.map((key) => [key, wanted.filter((version) => world.keyOf.get(version) === key)] as const);
  return { world, lost: losers(world), needed: new Map(needed) };
}

/** Members by what can be said of each without naming another; those that are alike in every order. */
function ordersOf(world: World, members: readonly number[]): readonly (readonly number[])[] {
  const groups = new Map<string, number[]>();
  for (const member of members) {
    const signature = signatureOf(world, members, member);
    groups.set(signature, [...(groups.get(signature) ?? []), member]);
  }
  const sorted = [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => permutations(group));
  return sorted.reduce<readonly (readonly number[])[]>((orders, choices) => orders.flatMap((order) => choices.map((choice) => [...order, ...choice])), [[]]);
}

function signatureOf(world: World, members: readonly number[], member: number): string {
  const image = imageOf(world, member);
  const others = members.filter((other) => other !== member).map((other) => imageOf(world, other));
  const rows = world.keys.map((key) => {
    const { text, events, known } = rowAt(image, key);
    const theirs = others.map((other) => rowAt(other, key));
    const count = (is: (row: Row) => boolean): number => theirs.filter(is).length;
    return [text === '' ? 0 : 1, count((row) => row.text === text), count((row) => isIn(events, row.known)), count((row) => isIn(row.events, known))].join('');
  });
  const entries = image.entries
    .map(({ key, xid }) => `${key}${others.filter((other) => covered(marksOf(other, SYNC, key).get(member), xid)).length}`)
    .filter((text) => !text.endsWith(String(others.length)));
  return `${rows} ${[...new Set(entries)].sort()} ${image.open.length}`;
}

function textOf(facts: Facts, slots: readonly Slot[]): string {
  const { world } = facts;
  const marks = slots.map(({ member, image }) => ({ member, of: image.watermarks.get(SYNC) ?? new Map<number, Position>() }));
  const coverage = (origin: number, xid: bigint, key: string): string =>
    slots.map(({ image }) => (covered(marksOf(image, SYNC, key).get(origin), xid) ? '1' : '0')).join('');
  const members = slots.map(({ member }) => member);
  return [
    `${world.databases} ${slots.map(({ member }, index) => (slots[index - 1]?.member === member ? '' : ',')).join('.')}`,
    ...slots.map(({ member, image }) => entriesText(member, members, image, coverage)),
    ...slots.map(({ member, image }) => marks.map(({ of }) => ahead(of.get(member), image.nextXid)).join(',')),
    ...world.keys.map((key) => keyText(facts, slots, key)),
  ].join('\n');
}

function slotsOf(world: World, member: number, canCrash: boolean): readonly Slot[] {
  const { image, disk } = sideOf(world, member);
  return !canCrash || image === disk
    ? [{ member, image }]
    : [
        { member, image },
        { member, image: disk },
      ];
}

function covered(position: Position | undefined, xid: bigint): boolean {
  return position !== undefined && isCovered(position, xid);
}

/** How many transactions that have not begun a watermark covers: none, unless something is broken. */
function ahead(position: Position | undefined, nextXid: bigint): string {
  if (position === undefined) return '-';
  const beyond = position.xmax > nextXid ? position.xmax - nextXid : 0n;
  return `${beyond}+${position.extra.filter((xid) => xid >= nextXid).map((xid) => xid - nextXid)}`;
}

type Coverage = (origin: number, xid: bigint, key: string) => string;

/** Entries that somebody has not seen; several of a key that the same ones have seen are as good as one. */
function entriesText(member: number, members: readonly number[], { entries, open }: Image, coverage: Coverage): string {
  const pending = entries
    .filter((entry) => isFor(SYNC, entry))
    .map(({ key, xid, of }: Entry) => ({
      key,
      seen: coverage(member, xid, key),
      of: of === null ? '' : nameText(of, members, (origin, named) => coverage(origin, named, key)),
    }));
  const begun = open.map(({ xid, changes }) => `open${changes.map(({ key, text }) => `${coverage(member, xid, key)}${key}${text === '' ? 'D' : 'U'}`)}`);
  return [...new Set([...pending.filter(({ seen }) => seen.includes('0')).map(({ key, seen, of }) => `${key}${seen}${of}`), ...begun])].sort().join(' ');
}

/** Named by database, and by who has seen it. */
function nameText(name: ChangeName, members: readonly number[], coverage: (origin: number, xid: bigint) => string): string {
  const [origin = '', xid = ''] = name.split(':');
  const member = members.find((each) => String(historyNumber(historyOf(each))) === origin) ?? -1;
  return `${members.indexOf(member)}${coverage(member, BigInt(xid))}`;
}

function keyText({ world, lost, needed }: Facts, slots: readonly Slot[], key: string): string {
  const rows = slots.map(({ image }) => rowAt(image, key));
  const versions = [...new Set(rows.map(({ version }) => version))];
  const texts = [...new Set(rows.map(({ text }) => text))];
  const classes = rows.map(({ version, text }) => `${versions.indexOf(version)}${text === '' ? '-' : texts.indexOf(text)}`);
  const seenBy = (set: Versions): string => rows.map(({ ancestors }) => ((ancestors & set) !== 0n ? '1' : '0')).join('');
  const madeAt = (set: Versions): string => slots.map(({ image }) => ((image.writes & set) !== 0n ? '1' : '0')).join('');
  const events = rows.map((row) => rows.map(({ known }) => (isIn(row.events, known) ? '1' : '0')).join(''));
  const single = versionsIn(
    world,
    rows.reduce((sum, row) => sum | row.events, 0n),
  ).map((event) => `${rows.map((row) => has(row.events, event)).join('')}${rows.map((row) => has(row.known, event)).join('')}`);
  const kept = (needed.get(key) ?? []).map((version) => `${seenBy(bit(version))}${madeAt(bit(version))}`);
  return [
    classes.join(' '),
    versions.map((version) => `${seenBy(bit(version))}${lost.has(`${key} v${version}`) ? 'x' : ''}`).join(' '),
    `${events} ${[...new Set(single)].sort()}`,
    [...new Set(kept)].sort().join(' '),
    decisionsText(world, slots, key),
  ].join('|');
}

function isIn(part: Versions, whole: Versions): boolean {
  return (part & ~whole) === 0n;
}

function has(set: Versions, version: number): string {
  return (set & bit(version)) !== 0n ? '1' : '0';
}

function versionsIn(world: World, set: Versions): readonly number[] {
  return Array.from({ length: world.next.version }, (_, version) => version).filter((version) => (set & bit(version)) !== 0n);
}

/** Decisions that a crash may undo. */
function decisionsText(world: World, slots: readonly Slot[], key: string): string {
  if (slots.length === membersOf(world).length) return '';
  return world.decisions
    .filter((decided) => decided.key === key)
    .map(
      ({ id, winner, candidates }) =>
        `${slots.map(({ image }) => (image.records.includes(id) ? '1' : '0')).join('')}${winner.version}:${candidates.map(({ version }) => version)}`,
    )
    .join(' ');
}

function permutations(list: readonly number[]): readonly (readonly number[])[] {
  if (list.length <= 1) return [list];
  return list.flatMap((first, index) => permutations([...list.slice(0, index), ...list.slice(index + 1)]).map((rest) => [first, ...rest]));
}
