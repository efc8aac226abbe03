import { failure } from '../../plan/errors.ts';
import type { StreamName } from '../events.ts';
import { beforeAll, covers, formatPosition, type History, parsePosition, type Position, positionAt, sameHistory } from '../../plan/position.ts';
import type { Session } from '../postgres/session.ts';
import type { Source } from './source.ts';
import { type Registration, readRegistration } from './registration.ts';
import { captureOids, currentSnapshot } from './source.sql.ts';
import { markUnverified } from './trust.ts';
import { beginApply, commitApply, forgetCopies, forgetWatermark, readCopies, readWatermark } from './target.sql.ts';
import type { StreamTable, TableState } from './work.ts';

/** What the two databases say about a stream when it starts. */
export type StreamStart = {
  /** Exactly as the watermark row has it: the fence compares it. Null before the first copy. */
  readonly stored: string | null;
  /** Where reading starts. */
  readonly position: Position | null;
  /** Tables that rest for a migration, as the watermark row has them. */
  readonly resting: string;
  readonly registration: Registration;
  /** By ordinal. */
  readonly states: readonly TableState[];
  /** oid of each table's delta table in the source, by ordinal. */
  readonly captures: readonly string[];
  /** The source moved to a new timeline since: all kept changes are pending again. */
  readonly historyChange: { readonly from: string; readonly to: string } | null;
};

/** A stream with both of its ends. */
export type StreamPlace = {
  readonly stream: StreamName;
  readonly source: Source;
  readonly target: Session;
  readonly tables: readonly StreamTable[];
  readonly deltas: readonly string[];
};

/** Reads where the stream stands, and refuses to start where following on would leave a gap. */
export async function readStreamStart(place: StreamPlace): Promise<StreamStart> {
  const { stream, source } = place;
  const registration = await readRegistration(stream, source);
  const watermark = await ownWatermark(place, registration.id);
  const captures = await capturesOf(place);
  if (watermark === null) {
    const states = place.tables.map((): TableState => ({ kind: 'missing', holdsOwnRows: false }));
    return { stored: null, position: null, resting: '{}', registration, states, captures, historyChange: null };
  }
  const stored = parsePosition(watermark.position);
  refuseForeignHistory(stream, stored.history, source.history);
  refuseEarlierTimeline(stream, stored.history, source.history);
  const moved = stored.history.timeline !== source.history.timeline;
  // On a new timeline the same transaction ids mean other transactions: nothing that is still kept is known to be covered.
  const position = moved ? beforeAll(source.history) : stored;
  if (moved) await markUnverified(place.target, stream, `${stream.source} went from timeline ${stored.history.timeline} to ${source.history.timeline}`);
  if (!moved) refuseGap(stream, stored, registration.position);
  if (!moved) refuseForgetfulSource(place, watermark.acknowledged, registration.position);
  if (!moved) refuseLaggingSource(stream, stored, await positionNow(source));
  const states = await tableStates(place, captures);
  const historyChange = moved ? { from: watermark.position, to: formatPosition(position) } : null;
  return { stored: watermark.position, position, resting: watermark.resting, registration, states, captures, historyChange };
}

type OwnWatermark = { readonly position: string; readonly acknowledged: string | null; readonly resting: string };

/** A watermark of an earlier life of the stream is forgotten: changes since may never have been captured or may be purged. */
async function ownWatermark({ stream, target }: StreamPlace, registration: string): Promise<OwnWatermark | null> {
  const names = [stream.sync, stream.source];
  const row = (await target.query(readWatermark, names)).rows[0];
  if (row?.['registration'] === registration && row['position'])
    return { position: row['position'], acknowledged: row['acknowledged'] ?? null, resting: row['resting'] ?? '{}' };
  await target.batch([{ text: beginApply }, { text: forgetCopies, values: names }, { text: forgetWatermark, values: names }, { text: commitApply }]);
  return null;
}

/** Tables that rest for a migration. */
export async function readResting(target: Session, { sync, source }: StreamName): Promise<string> {
  return (await target.query(readWatermark, [sync, source])).rows[0]?.['resting'] ?? '{}';
}

async function capturesOf({ source, deltas }: StreamPlace): Promise<readonly string[]> {
  const rows = (await source.query(captureOids)).rows;
  const oids = new Map(rows.map((row) => [row['name'], row['oid'] ?? '']));
  return deltas.map((delta) => oids.get(delta) ?? '');
}

/** Where each table stands, as the target has it. A copy made on another timeline is joined with all kept changes: its position means nothing now. */
export async function tableStates({ stream, source, target, tables }: StreamPlace, captures: readonly string[]): Promise<readonly TableState[]> {
  const rows = (await target.query(readCopies, [stream.sync, stream.source])).rows;
  return tables.map((table): TableState => {
    const row = rows.find((each) => each['relation'] === table.relation);
    if (!row?.['position'] || row['capture'] !== captures[table.ordinal]) return { kind: 'missing', holdsOwnRows: row !== undefined };
    if (row['is_joined'] === 't') return { kind: 'joined' };
    const position = parsePosition(row['position']);
    return { kind: 'copied', position: sameHistory(position.history, source.history) ? position : beforeAll(source.history) };
  });
}

async function positionNow(source: Source): Promise<Position> {
  const row = (await source.query(currentSnapshot)).rows[0];
  return positionAt(source.history, row?.['snapshot'] ?? '');
}

/** Another cluster or database: its transaction ids mean nothing here. */
export function refuseForeignHistory(stream: StreamName, stored: History, current: History): void {
  if (stored.system === current.system && stored.database === current.database) return;
  throw failure('refused', {
    code: 'SAR603',
    where: `database ${stream.source}`,
    message: `this is not the database that ${stream.target} has followed (cluster ${stored.system}, database ${stored.database}; now cluster ${current.system}, database ${current.database})`,
    hint: repair(stream),
  });
}

/** Timelines only grow along one line of servers: a lower one is an old primary that was left behind, or a copy of it. */
function refuseEarlierTimeline(stream: StreamName, stored: History, current: History): void {
  if (current.timeline >= stored.timeline) return;
  throw failure('refused', {
    code: 'SAR605',
    where: `database ${stream.source}`,
    message: `it is on timeline ${current.timeline}, but ${stream.target} has followed timeline ${stored.timeline}; this is an old primary or an older backup`,
    hint: `Point its environment variable to the present primary. ${repair(stream)}`,
  });
}

/**
 * The target notes what the source has recorded of its progress. A source that does not know of it is what it was before that: a
 * backup, or a copy of its files, that has since lived a life of its own (its transaction ids alone need not show it).
 */
function refuseForgetfulSource({ stream, source }: StreamPlace, noted: string | null, acknowledged: Position | null): void {
  const position = noted === null ? null : parsePosition(noted);
  if (position === null || !sameHistory(position.history, source.history)) return;
  if (acknowledged !== null && sameHistory(acknowledged.history, position.history) && covers(acknowledged, position)) return;
  throw failure('refused', {
    code: 'SAR605',
    where: `database ${stream.source}`,
    message: `it does not know what ${stream.target} has acknowledged of sync ${stream.sync}; the source was probably restored from a backup, or is a copy of the database that was followed`,
    hint: repair(stream),
  });
}

/** The source purges only what was acknowledged, so a watermark that does not cover that has lost its own past (an older backup). */
export function refuseGap(stream: StreamName, stored: Position, acknowledged: Position | null): void {
  if (acknowledged === null || acknowledged.history.timeline !== stored.history.timeline || covers(stored, acknowledged)) return;
  throw failure('refused', {
    code: 'SAR604',
    where: `database ${stream.target}`,
    message: `the watermark of sync ${stream.sync} from ${stream.source} lies before what ${stream.source} may have purged; the target was probably restored from a backup`,
    hint: repair(stream),
  });
}

/** Transaction ids only grow within one history: a source behind a watermark was put back to an earlier state. */
export function refuseLaggingSource(stream: StreamName, stored: Position, now: Position): void {
  if (now.xmax >= stored.xmax) return;
  throw failure('refused', {
    code: 'SAR605',
    where: `database ${stream.source}`,
    message: `its transactions end at ${now.xmax}, but ${stream.target} has applied sync ${stream.sync} up to ${stored.xmax}; the source was probably restored from a backup`,
    hint: repair(stream),
  });
}

function repair({ sync, target }: StreamName): string {
  return `Compare the two databases first. To replace the target's rows by the source's: sarrio copy --sync ${sync} --target ${target} --replace`;
}
