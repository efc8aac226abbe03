import { nameOf } from '../../src/conflict/change-names.ts';
import { historyNumber } from '../../src/plan/position.ts';
import { abort, begin, type Change, commit, firstImage, historyOf, type Image, isLocked, type OpenTransaction, rowAt, tableOf, write } from './image.ts';
import { isFor } from './simulated-member.ts';
import { flushed, imageOf, membersOf, purged, sideOf, SYNC, withImage, withSide, type World } from './world.ts';

/** What may still happen. */
export type Budget = {
  readonly writes: number;
  /** Rounds that may fail; recovery comes on top. */
  readonly rounds: number;
  /** Transactions that may stay open while others go on. */
  readonly open: number;
  readonly crashes: number;
  readonly joins: number;
  readonly leaves: number;
};

export type Step = { readonly label: string; readonly world: World; readonly budget: Budget };

/** A transaction of an application at one database. */
export type Act = { readonly label: string; readonly database: number; readonly changes: readonly Change[] };

/** Everything that can happen between rounds. */
export function stepsBetweenRounds(world: World, budget: Budget): readonly Step[] {
  return [...writes(world, budget), ...ends(world, budget), ...crashes(world, budget), ...joins(world, budget), ...leaves(world, budget)];
}

/** Every transaction that an application can make at a database: each row may be inserted, updated or deleted, or get another key. */
export function actsAt(world: World, database: number): readonly Act[] {
  const image = imageOf(world, database);
  const { version, time } = world.next;
  const free = world.keys.filter((key) => !isLocked(image, key));
  const change = (key: string, isRow: boolean, place = 0): Change => ({ key, version: version + place, text: isRow ? `v${version + place}` : '', at: time });
  const [present, absent] = [free.filter((key) => rowAt(image, key).text !== ''), free.filter((key) => rowAt(image, key).text === '')];
  const moves = present.flatMap((from) => absent.filter((to) => tableOf(to) === tableOf(from)).map((to) => [from, to] as const));
  return [
    ...present.map((key) => ({ label: `update ${key} at d${database} (v${version})`, database, changes: [change(key, true)] })),
    ...present.map((key) => ({ label: `delete ${key} at d${database} (v${version})`, database, changes: [change(key, false)] })),
    ...absent.map((key) => ({ label: `insert ${key} at d${database} (v${version})`, database, changes: [change(key, true)] })),
    ...moves.map(([from, to]) => ({
      label: `key ${from} to ${to} at d${database} (v${version})`,
      database,
      changes: [change(from, false), change(to, true, 1)],
    })),
  ];
}

/** The world after the numbers of an act were used. */
export function numbered(world: World, { changes }: Act): World {
  const keyOf = new Map([...world.keyOf, ...changes.map(({ key, version }) => [version, key] as const)]);
  return { ...world, keyOf, next: { ...world.next, version: world.next.version + changes.length, time: world.next.time + 1n } };
}

function writes(world: World, budget: Budget): readonly Step[] {
  if (budget.writes === 0) return [];
  const left = { ...budget, writes: budget.writes - 1 };
  return membersOf(world).flatMap((database) =>
    actsAt(world, database).flatMap((act) => {
      const image = imageOf(world, database);
      const done = (label: string, after: Image, isFlushed: boolean, rest: Budget): Step => ({
        label,
        world: withImage(numbered(world, act), database, after, isFlushed),
        budget: rest,
      });
      return [
        done(act.label, write(image, act.changes), true, left),
        ...(budget.crashes > 0 ? [done(`${act.label}, not on disk`, write(image, act.changes), false, left)] : []),
        ...(budget.open > 0 ? [done(`begin ${act.label}`, begin(image, act.changes), false, { ...left, open: left.open - 1 })] : []),
      ];
    }),
  );
}

export function opens(world: World): readonly { readonly database: number; readonly transaction: OpenTransaction }[] {
  return membersOf(world).flatMap((database) => imageOf(world, database).open.map((transaction) => ({ database, transaction })));
}

function ends(world: World, budget: Budget): readonly Step[] {
  return opens(world).flatMap(({ database, transaction }) => {
    const image = imageOf(world, database);
    return [
      { label: `commit of ${transaction.xid} at d${database}`, world: withImage(world, database, commit(image, transaction), true), budget },
      { label: `abort of ${transaction.xid} at d${database}`, world: withImage(world, database, abort(image, transaction.xid)), budget },
    ];
  });
}

function crashes(world: World, budget: Budget): readonly Step[] {
  if (budget.crashes === 0) return [];
  const left = { ...budget, crashes: budget.crashes - 1 };
  const dirty = membersOf(world).filter((database) => sideOf(world, database).image !== sideOf(world, database).disk);
  return dirty.map((database) => {
    const { disk } = sideOf(world, database);
    return { label: `crash of d${database}`, world: withSide(world, database, { image: disk, disk }), budget: left };
  });
}

/** A database joins: first the plan names it, then it gets a copy of one of the members. */
function joins(world: World, budget: Budget): readonly Step[] {
  const place = world.sides.indexOf(null);
  if (place === -1) return [];
  if (world.databases > place)
    return membersOf(world).map((source) => ({ label: `copy of d${source} to d${place}`, world: copied(world, source, place), budget }));
  if (budget.joins === 0) return [];
  return [{ label: `d${place} is named`, world: { ...world, databases: world.databases + 1 }, budget: { ...budget, joins: budget.joins - 1 } }];
}

/**
 * The copy has the rows of one snapshot of its source, and so has seen what that has seen. It brings the source's changes too, named:
 * not all others need have seen them, and the copy would give way to those, or overwrite them, without a trace.
 */
export function copied(before: World, source: number, place: number): World {
  const world = flushed(before, source);
  const { rows, entries, watermarks, held, nextXid, open } = imageOf(world, source);
  const xip = open.map(({ xid }) => xid);
  const position = { history: historyOf(source), xmin: xip[0] ?? nextXid, xmax: nextXid, xip, extra: [] };
  const others = world.copyLacks === 'watermarks' ? [] : (watermarks.get(SYNC) ?? []);
  const marks = new Map([...others, [source, position] as const]);
  marks.delete(place);
  const first = firstImage(new Map());
  const brought = entries
    .filter((entry) => isFor(SYNC, entry))
    .map((entry) => ({ ...entry, xid: first.nextXid, tag: `=${SYNC}`, of: entry.of ?? nameOf(historyNumber(historyOf(source)), entry.xid) }));
  const image = {
    ...first,
    rows,
    entries: world.copyLacks === 'changes' ? [] : brought,
    nextXid: first.nextXid + 1n,
    watermarks: new Map([[SYNC, marks]]),
    held,
  };
  return withSide(world, place, { image, disk: image });
}

/** The last of the members leaves; what it has not passed on goes with it. */
function leaves(world: World, budget: Budget): readonly Step[] {
  const last = membersOf(world).at(-1);
  if (budget.leaves === 0 || last === undefined || membersOf(world).length < 3) return [];
  const { writes: made, records } = imageOf(world, last);
  const gone = { writes: world.gone.writes | made, records: [...world.gone.records, ...records] };
  return [{ label: `d${last} leaves`, world: { ...withSide(world, last, null), databases: last, gone }, budget: { ...budget, leaves: budget.leaves - 1 } }];
}

/** What needs no telling: with no crash to come everything may be on disk, and what everybody has on disk is purged. */
export function settledDown(world: World, { budget, isPurging }: { budget: Budget; isPurging: boolean }): World {
  const dry = budget.crashes > 0 ? world : membersOf(world).reduce((sum, database) => flushed(sum, database), world);
  return isPurging ? purged(dry) : dry;
}
