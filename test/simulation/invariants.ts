import { covers, sameHistory } from '../../src/plan/position.ts';
import { bit, type Image, rowAt, type Versions } from './image.ts';
import type { RoundRun } from './round.ts';
import { type Decided, imageOf, isRecorded, isRecordedByAll, type Judged, membersOf, rowsOf, SYNC, type World } from './world.ts';

/** What is wrong with a round's outcome, whichever of its commits survive. */
export function faultsOfRound(before: World, { committed, decided }: RoundRun): readonly string[] {
  const moved = [...committed].flatMap(([database, image]) => faultsOfWatermarks(imageOf(before, database), image, `d${database}`));
  return [...moved, ...decided.flatMap((each) => faultsOfDecision(before, each))];
}

function faultsOfWatermarks(before: Image, after: Image, name: string): readonly string[] {
  const now = after.watermarks.get(SYNC);
  return [...(before.watermarks.get(SYNC) ?? [])].flatMap(([origin, old]) => {
    const moved = now?.get(origin);
    if (moved === undefined) return [`${name} has forgotten how far it was with d${origin}`];
    return sameHistory(old.history, moved.history) && !covers(moved, old) ? [`the watermark of ${name} for d${origin} went back`] : [];
  });
}

function faultsOfDecision(world: World, { key, candidates }: Decided): readonly string[] {
  const different = [...new Map(candidates.map((each) => [each.text, each])).values()];
  return pairs(different).flatMap(([one, other]) => [
    ...(!process.env['NOPART'] && (isPart(one, other) || isPart(other, one)) ? [`a rule was fed a result and what that was made of: v${one.version} and v${other.version} of ${key}`] : []),
    ...(!process.env['NOAGAIN'] && isDecided(world, key, one, other) ? [`decided again: v${one.version} and v${other.version} of ${key}`] : []),
  ]);
}

function isPart({ version }: Judged, { ancestors }: Judged): boolean {
  return version !== 0 && (ancestors & bit(version)) !== 0n;
}

/** Between two members any surviving commit of a decision is final; among more it is once all present have committed. */
export function isDecided(world: World, key: string, one: Pick<Judged, 'version'>, other: Pick<Judged, 'version'>): boolean {
  return world.decisions.some((decided) => {
    if (decided.key !== key || ![one, other].every(({ version }) => decided.candidates.some((each) => each.version === version))) return false;
    return world.sides.length === 2 ? isRecorded(world, decided) : isRecordedByAll(world, decided);
  });
}

function pairs<T>(list: readonly T[]): readonly (readonly [T, T])[] {
  return list.flatMap((one, index) => list.slice(index + 1).map((other) => [one, other] as const));
}

/** Changes that were put before a recorded decision, which chose without them. */
export function overruled(world: World): Versions {
  const recorded = world.decisions.filter((decided) => isRecorded(world, decided));
  return recorded.reduce((sum, { candidates, winner }) => candidates.reduce((all, { ancestors }) => all | (ancestors & ~winner.ancestors), sum), 0n);
}

/** Versions that have lost and not been chosen since. */
export function losers(world: World): ReadonlySet<string> {
  const lost = new Set<string>();
  for (const decided of world.decisions) {
    if (!isRecorded(world, decided)) continue;
    for (const { version } of decided.candidates) lost.add(`${decided.key} v${version}`);
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
  const missing = writesOf(world) & ~kept;
  return [
    ...world.keys.filter((key) => new Set(rowsOf(world, key).map(({ text }) => text)).size > 1).map((key) => `members differ in ${key}`),
    ...(missing === 0n ? [] : [`lost: ${versionsIn(missing)}`]),
    ...world.keys.flatMap((key) => rowsOf(world, key).filter(({ version }) => lost.has(`${key} v${version}`)).map(({ version }) => `v${version} of ${key} had lost and came back`)),
    ...membersOf(world).filter((database) => new Set(imageOf(world, database).records).size < imageOf(world, database).records.length).map((database) => `d${database} has a conflict twice`),
    ...strangers(world),
  ];
}

/** Rows that no database has a committed change for: their origin lost it in a crash. */
function strangers(world: World): readonly string[] {
  const made = world.decisions.reduce((sum, { winner }) => sum | bit(winner.version), writesOf(world) | world.gone);
  return world.keys.flatMap((key) => rowsOf(world, key).filter(({ ancestors }) => (ancestors & ~made) !== 0n).map(({ version }) => `v${version} of ${key} was lost at its origin`));
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
    const marks = [...(image.watermarks.get(SYNC) ?? [])].map(([origin, { xmax, xip, extra }]) => `d${origin}<${xmax}${xip.length > 0 ? `-${xip}` : ''}${extra.length > 0 ? `+${extra}` : ''}`);
    return `d${database}: ${rows} | entries ${entries} | watermarks ${marks.join(' ')} | open ${image.open.map(({ xid }) => xid).join(' ')} | records ${image.records.join(' ')}`;
  });
  return lines.join('\n    ');
}
