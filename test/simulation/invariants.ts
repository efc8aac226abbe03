import { covers, formatPosition, isCovered, sameHistory } from '../../src/plan/position.ts';
import { appliedOf, bit, type Entry, type Image, marksOf, rowAt, tableOf, type Versions } from './image.ts';
import type { RoundRun } from './round.ts';
import { isFor } from './simulated-member.ts';
import { type Decided, imageOf, isRecorded, membersOf, rowsOf, SYNC, type World } from './world.ts';

/** What is wrong with a round's outcome, whichever of its commits survive. */
export function faultsOfRound(before: World, { committed, decided }: RoundRun, stopped: readonly number[] = []): readonly string[] {
  const held = [...committed].flatMap(([database, image]) => faultsOfHeld(imageOf(before, database), image, { name: `d${database}`, stopped }));
  const moved = [...committed].flatMap(([database, image]) => faultsOfWatermarks(imageOf(before, database), image, `d${database}`));
  return [...moved, ...held, ...decided.flatMap(faultsOfDecision)];
}

function faultsOfWatermarks(before: Image, after: Image, name: string): readonly string[] {
  return [...new Set(before.rows.keys())].flatMap((key) => {
    const now = marksOf(after, SYNC, key);
    return [...marksOf(before, SYNC, key)].flatMap(([origin, old]) => {
      const moved = now.get(origin);
      if (moved === undefined) return [`${name} has forgotten how far it was with d${origin}`];
      return sameHistory(old.history, moved.history) && !covers(moved, old) ? [`the watermark of ${name} for d${origin} went back`] : [];
    });
  });
}

/** Of a table that sat the round out, what a member has applied is what it was, to the letter. */
function faultsOfHeld(before: Image, after: Image, { name, stopped }: { name: string; stopped: readonly number[] }): readonly string[] {
  const text = (image: Image, key: string, origin: number): string => {
    const position = marksOf(image, SYNC, key).get(origin);
    return position === undefined || position.xmax <= 3n ? 'nothing' : formatPosition(position);
  };
  return [...before.rows.keys()]
    .filter((key) => stopped.includes(tableOf(key)))
    .flatMap((key) => [...marksOf(after, SYNC, key).keys()].filter((origin) => text(before, key, origin) !== text(after, key, origin)))
    .map((origin) => `a stopped table of ${name} has moved with d${origin}`);
}

/** A rule decides between rows whose makers did not know of each other. Otherwise it decides twice, or against the one who saw more. */
export function faultsOfDecision({ key, candidates }: Decided): readonly string[] {
  return candidates.flatMap((one) =>
    candidates
      .filter((other) => one.text !== other.text && one.events !== 0n && (one.events & ~other.known) === 0n)
      .map((other) => `a rule was to choose between v${one.version} of ${key} and v${other.version}, which was made or chosen in its place`),
  );
}

/** Changes that were put before a recorded decision, which chose without them. */
export function overruled(world: World): Versions {
  const recorded = world.decisions.filter((decided) => isRecorded(world, decided) || world.gone.records.includes(decided.id));
  return recorded.reduce((sum, { candidates, winner }) => candidates.reduce((all, { ancestors }) => all | (ancestors & ~winner.ancestors), sum), 0n);
}

/** Versions that have lost and not been chosen since. */
export function losers(world: World): ReadonlySet<string> {
  const lost = new Set<string>();
  for (const decided of world.decisions) {
    if (!isRecorded(world, decided)) continue;
    for (const { version, text } of decided.candidates) if (text !== decided.winner.text) lost.add(`${decided.key} v${version}`);
    lost.delete(`${decided.key} v${decided.winner.version}`);
  }
  return lost;
}

export function writesOf(world: World): Versions {
  return membersOf(world).reduce((sum, database) => sum | imageOf(world, database).writes, 0n);
}

/** What is wrong once everybody is up and everything has been carried everywhere. */
export function faultsWhenQuiet(world: World): readonly string[] {
  const lost = losers(world);
  const kept = world.keys.reduce((sum, key) => rowsOf(world, key).reduce((all, { ancestors }) => all | ancestors, sum), overruled(world));
  const absorbed = membersOf(world).reduce((sum, database) => sum | imageOf(world, database).absorbed, 0n);
  const missing = writesOf(world) & ~kept & ~absorbed;
  return [
    ...world.keys.filter((key) => new Set(rowsOf(world, key).map(({ text }) => text)).size > 1).map((key) => `members differ in ${key}`),
    ...(missing === 0n ? [] : [`lost: ${versionsIn(missing)}`]),
    ...world.keys
      .filter((key) => rowsOf(world, key).every(({ version }) => lost.has(`${key} v${version}`)))
      .map((key) => `a row of ${key} had lost and came back`),
    ...membersOf(world)
      .filter((database) => new Set(imageOf(world, database).records).size < imageOf(world, database).records.length)
      .map((database) => `d${database} has a conflict twice`),
    ...strangers(world),
  ];
}

/** On this `sarrio verify` rests: at any moment a key of which no member has anything to hear has one row everywhere. */
export function faultsOfQuietKeys(world: World): readonly string[] {
  const members = membersOf(world);
  const isPending = (key: string): boolean =>
    members.some((origin) =>
      imageOf(world, origin).entries.some(
        (entry) => entry.key === key && isFor(SYNC, entry) && members.some((other) => other !== origin && !hasSeen(world, other, { origin, entry })),
      ),
    );
  return world.keys
    .filter((key) => new Set(rowsOf(world, key).map(({ text }) => text)).size > 1 && !isPending(key))
    .map((key) => `members differ in ${key}, of which nothing is on its way`);
}

function hasSeen(world: World, member: number, { origin, entry }: { origin: number; entry: Entry }): boolean {
  const position = marksOf(imageOf(world, member), SYNC, entry.key).get(origin);
  return position !== undefined && isCovered(position, entry.xid);
}

/** Rows that no database has a committed change for: their origin lost it in a crash. */
function strangers(world: World): readonly string[] {
  const made = world.decisions.reduce((sum, { winner }) => sum | bit(winner.version), writesOf(world) | world.gone.writes);
  return world.keys.flatMap((key) =>
    rowsOf(world, key)
      .filter(({ ancestors }) => (ancestors & ~made) !== 0n)
      .map(({ version }) => `v${version} of ${key} was lost at its origin`),
  );
}

function versionsIn(versions: Versions): string {
  const names: string[] = [];
  for (let version = 1; versions >> BigInt(version) !== 0n; version++) if ((versions & bit(version)) !== 0n) names.push(`v${version}`);
  return names.join(', ');
}

export function entriesOf(world: World): number {
  return membersOf(world).reduce((sum, database) => sum + imageOf(world, database).entries.length, 0);
}

export function pictureOf(world: World): string {
  const lines = membersOf(world).map((database) => {
    const image = imageOf(world, database);
    const rows = world.keys.map((key) => `${key}=${rowAt(image, key).text || '-'}`).join(' ');
    const entries = image.entries.map(({ key, xid, tag }) => `${key}:${xid}${tag === null ? '' : `(${tag})`}`).join(' ');
    const marks = [...(image.watermarks.get(SYNC) ?? [])].map(
      ([origin, { xmax, xip, extra }]) => `d${origin}<${xmax}${xip.length > 0 ? `-${xip}` : ''}${extra.length > 0 ? `+${extra}` : ''}`,
    );
    const held = [...appliedOf(image, SYNC).held].map(([table, of]) => `${table}:${[...of].map(([origin, { xmax }]) => `d${origin}<${xmax}`).join(',')}`);
    return `d${database}: ${rows} | entries ${entries} | watermarks ${marks.join(' ')} | held ${held.join(' ')} | open ${image.open.map(({ xid }) => xid).join(' ')} | records ${image.records.join(' ')}`;
  });
  return lines.join('\n    ');
}
