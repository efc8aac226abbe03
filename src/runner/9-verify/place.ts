import type { StreamName } from '../events.ts';
import { beforeAll, type History, parsePosition, type Position } from '../../plan/position.ts';
import type { Session } from '../postgres/session.ts';
import { readAcknowledged, readHistory } from '../8-round/source.sql.ts';
import { refuseForeignHistory, refuseGap } from '../8-round/stream-target.ts';
import { readCapture, readPlace } from './verify.sql.ts';

/** What the source says of a stream before anything is compared. */
export type Origin = {
  readonly history: History;
  /** The stream's life; null while it is not registered. */
  readonly registration: string | null;
  /** What the target has on disk, and so what may have been purged. */
  readonly acknowledged: Position | null;
  /** oid of the delta table. */
  readonly capture: string | null;
};

/** Where a table of the target stands: at a position of the source, or nowhere that could be compared. */
export type Place = { readonly kind: 'at'; readonly position: Position } | { readonly kind: 'nowhere'; readonly reason: string };

/** To be read before the target's place, so that its watermark covers what is acknowledged here. */
export async function readOrigin(source: Session, stream: StreamName, delta: string): Promise<Origin> {
  const history = (await source.query(readHistory)).rows[0];
  const acknowledged = (await source.query(readAcknowledged, [stream.sync, stream.target])).rows[0];
  const capture = (await source.query(readCapture, [delta])).rows[0];
  return {
    history: { system: history?.['system'] ?? '', database: history?.['database'] ?? '', timeline: Number(history?.['timeline']) },
    registration: acknowledged?.['registration'] ?? null,
    acknowledged: acknowledged?.['position'] ? parsePosition(acknowledged['position']) : null,
    capture: capture?.['oid'] ?? null,
  };
}

/**
 * Reads it in the target's open transaction, as its snapshot shows it: the table's rows there are the source's at that position.
 * @throws SarrioError where following on would be refused too.
 */
export async function readTargetPlace(target: Session, of: { stream: StreamName; relation: string; origin: Origin }): Promise<Place> {
  const { stream, relation, origin } = of;
  const row = (await target.query(readPlace, [stream.sync, stream.source, relation])).rows[0];
  if (origin.registration === null) return nowhere('the stream is not registered; run: sarrio apply');
  if (!row?.['position'] || row['registration'] !== origin.registration) return nowhere('its initial copy is not finished');
  if (row['is_joined'] !== 't' && row['stopped']) return nowhere(`it sits the rounds out: ${row['stopped']}`);
  if (row['capture'] !== origin.capture || row['is_joined'] !== 't') return nowhere('its initial copy is not finished');
  const stored = parsePosition(row['position']);
  refuseForeignHistory(stream, stored.history, origin.history);
  // As a round does: on a new timeline everything that is kept counts as pending.
  if (stored.history.timeline !== origin.history.timeline) return { kind: 'at', position: beforeAll(origin.history) };
  refuseGap(stream, stored, origin.acknowledged);
  return { kind: 'at', position: stored };
}

function nowhere(reason: string): Place {
  return { kind: 'nowhere', reason };
}
