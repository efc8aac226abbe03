import { isCovered } from '../../src/plan/position.ts';
import { type Entry, firstImage, type Image, type Lineage, marksOf, type Row, rowAt, type Versions } from './image.ts';
import { onDisk } from './server.ts';

/** All databases of a sync between two steps, as a value, and what has been decided so far. */
export type World = {
  /** By database; null while it is not a member. */
  readonly sides: readonly (Side | null)[];
  /** How many databases the plan names; the last ones may have no copy yet. */
  readonly databases: number;
  readonly keys: readonly string[];
  /** Numbers that were not used yet. */
  readonly next: { readonly version: number; readonly decision: number; readonly time: bigint };
  readonly decisions: readonly Decided[];
  /** Which key a version is of. */
  readonly keyOf: ReadonlyMap<number, string>;
  /** What databases that have left were told: changes of applications, and conflicts recorded. */
  readonly gone: { readonly writes: Versions; readonly records: readonly string[] };
  /** A fault to be found: what a database that joins does not get from the one whose rows it copies. */
  readonly copyLacks: 'changes' | 'watermarks' | null;
};

export type Side = { readonly image: Image; readonly disk: Image };

export type Decided = {
  readonly id: string;
  readonly key: string;
  readonly winner: Judged;
  /** All candidates, the winner too unless it was merged. */
  readonly candidates: readonly Judged[];
};

/** A row as a rule is shown it. */
export type Judged = Lineage & { readonly text: string };

export const SYNC = 's';

export function firstWorld(options: { readonly databases: number; readonly members: number; readonly rows: ReadonlyMap<string, string> }): World {
  const image = { ...firstImage(options.rows), watermarks: new Map([[SYNC, new Map()]]) };
  const sides = Array.from({ length: options.databases }, (_, database) => (database < options.members ? { image, disk: image } : null));
  const databases = options.members;
  return {
    sides,
    databases,
    keys: [...options.rows.keys()],
    next: { version: 1, decision: 1, time: 1n },
    decisions: [],
    keyOf: new Map(),
    gone: { writes: 0n, records: [] },
    copyLacks: null,
  };
}

export function membersOf({ sides }: World): readonly number[] {
  const known = MEMBERS.get(sides);
  if (known !== undefined) return known;
  const members = sides.flatMap((side, database) => (side === null ? [] : [database]));
  MEMBERS.set(sides, members);
  return members;
}

/** Asked for at every turn, and always the same of the same sides. */
const MEMBERS = new WeakMap<World['sides'], readonly number[]>();

export function sideOf({ sides }: World, database: number): Side {
  const side = sides[database];
  if (!side) throw new Error(`database ${database} is not a member`);
  return side;
}

export function imageOf(world: World, database: number): Image {
  return sideOf(world, database).image;
}

export function rowsOf(world: World, key: string): readonly Row[] {
  return membersOf(world).map((database) => rowAt(imageOf(world, database), key));
}

export function withSide(world: World, database: number, side: Side | null): World {
  return { ...world, sides: world.sides.map((each, index) => (index === database ? side : each)) };
}

/** The image changes; what is on disk stays, or follows. */
export function withImage(world: World, database: number, image: Image, isFlushed = false): World {
  const { disk } = sideOf(world, database);
  return withSide(world, database, { image, disk: isFlushed ? onDisk(image) : disk });
}

/** Everything committed at a database is on its disk. */
export function flushed(world: World, database: number): World {
  const { image } = sideOf(world, database);
  return withSide(world, database, { image, disk: onDisk(image) });
}

/** Without the entries that every other member has seen, and has on disk that it has. */
export function purged(world: World): World {
  return membersOf(world).reduce((sum, origin) => {
    const { image, disk } = sideOf(sum, origin);
    const entries = image.entries.filter((entry) => !isSeenByAll(world, origin, entry));
    if (entries.length === image.entries.length) return sum;
    const after = { ...image, entries };
    return withSide(sum, origin, { image: after, disk: image === disk ? after : disk });
  }, world);
}

function isSeenByAll(world: World, origin: number, { key, xid }: Entry): boolean {
  return membersOf(world).every((target) => {
    if (target === origin) return true;
    const position = marksOf(sideOf(world, target).disk, SYNC, key).get(origin);
    return position !== undefined && isCovered(position, xid);
  });
}

export function isRecorded(world: World, { id }: Decided): boolean {
  return membersOf(world).some((database) => imageOf(world, database).records.includes(id));
}
