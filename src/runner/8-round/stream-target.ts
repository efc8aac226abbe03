import { failure } from '../../plan/errors.ts';
import type { StreamName } from '../events.ts';
import { beforeAll, covers, formatPosition, type History, parsePosition, type Position, positionAt, sameHistory } from '../position.ts';
import type { Session } from '../postgres/session.ts';
import type { Source } from './source.ts';
import { captureOids, currentSnapshot, readAcknowledged } from './source.sql.ts';
import { beginApply, commitApply, forgetCopies, forgetWatermark, readCopies, readWatermark } from './target.sql.ts';
import type { StreamTable, TableState } from './work.ts';

/** What the two databases say about a stream when it starts. */
export type StreamStart = {
  /** Exactly as the watermark row has it: the fence compares it. Null before the first copy. */
  readonly stored: string | null;
  /** Where reading starts. */
  readonly position: Position | null;
  readonly registration: string;
  /** `sarrio copy --replace` asked for the target's rows to be replaced. */
  readonly replaceRows: boolean;
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
  const registered = await registrationOf(place);
  const watermark = await ownWatermark(place, registered.registration);
  const captures = await capturesOf(place);
  if (watermark === null) {
    return {
      stored: null,
      position: null,
      registration: registered.registration,
      replaceRows: registered.replaceRows,
      states: place.tables.map(() => ({ kind: 'missing' })),
      captures,
      historyChange: null,
    };
  }
  const stored = parsePosition(watermark);
  refuseForeignHistory(stream, stored.history, source.history);
  const moved = stored.history.timeline !== source.history.timeline;
  // On a new timeline the same transaction ids mean other transactions: nothing that is still kept is known to be covered.
  const position = moved ? beforeAll(source.history) : stored;
  if (!moved) refuseGap(stream, stored, registered.position);
  if (!moved) refuseLaggingSource(stream, stored, await positionNow(source));
  const states = await tableStates(place, captures);
  const historyChange = moved ? { from: watermark, to: formatPosition(position) } : null;
  return { stored: watermark, position, registration: registered.registration, replaceRows: registered.replaceRows, states, captures, historyChange };
}

async function registrationOf({ stream, source }: StreamPlace): Promise<{ registration: string; replaceRows: boolean; position: Position | null }> {
  const row = (await source.query(readAcknowledged, [stream.sync, stream.target])).rows[0];
  const registration = row?.['registration'];
  if (registration) return { registration, replaceRows: row['replace_rows'] === 't', position: row['position'] ? parsePosition(row['position']) : null };
  throw failure('refused', {
    code: 'SAR602',
    where: `database ${stream.source}`,
    message: `the stream ${stream.source} -> ${stream.target} of sync ${stream.sync} is not registered`,
    hint: 'Run: sarrio apply',
  });
}

/** A watermark of an earlier life of the stream is forgotten: changes since may never have been captured or may be purged. */
async function ownWatermark({ stream, target }: StreamPlace, registration: string): Promise<string | null> {
  const names = [stream.sync, stream.source];
  const row = (await target.query(readWatermark, names)).rows[0];
  if (row?.['registration'] === registration && row['position']) return row['position'];
  await target.batch([{ text: beginApply }, { text: forgetCopies, values: names }, { text: forgetWatermark, values: names }, { text: commitApply }]);
  return null;
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
    const row = rows.find((each) => each['relation'] === table.relation && each['capture'] === captures[table.ordinal]);
    if (!row?.['position']) return { kind: 'missing' };
    if (row['is_joined'] === 't') return { kind: 'joined' };
    const position = parsePosition(row['position']);
    return { kind: 'copied', position: sameHistory(position.history, source.history) ? position : beforeAll(source.history) };
  });
}

async function positionNow(source: Source): Promise<Position> {
  const row = (await source.query(currentSnapshot)).rows[0];
  return positionAt(source.history, row?.['snapshot'] ?? '');
}

function refuseForeignHistory(stream: StreamName, stored: History, current: History): void {
  if (stored.system === current.system && stored.database === current.database) return;
  throw failure('refused', {
    code: 'SAR603',
    where: `database ${stream.source}`,
    message: `this is not the database that ${stream.target} has followed (cluster ${stored.system}, database ${stored.database}; now cluster ${current.system}, database ${current.database})`,
    hint: repair(stream),
  });
}

/** The source purges only what was acknowledged, so a watermark that does not cover that has lost its own past (an older backup). */
function refuseGap(stream: StreamName, stored: Position, acknowledged: Position | null): void {
  if (acknowledged === null || acknowledged.history.timeline !== stored.history.timeline || covers(stored, acknowledged)) return;
  throw failure('refused', {
    code: 'SAR604',
    where: `database ${stream.target}`,
    message: `the watermark of sync ${stream.sync} from ${stream.source} lies before what ${stream.source} may have purged; the target was probably restored from a backup`,
    hint: repair(stream),
  });
}

/** Transaction ids only grow within one history: a source behind a watermark was put back to an earlier state. */
function refuseLaggingSource(stream: StreamName, stored: Position, now: Position): void {
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
