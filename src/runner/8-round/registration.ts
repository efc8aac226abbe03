import { failure } from '../../plan/errors.ts';
import type { StreamName } from '../events.ts';
import { parsePosition, type Position } from '../../plan/position.ts';
import type { Row } from '../postgres/statement.ts';
import type { Source } from './source.ts';
import { readAcknowledged, readPaused, readRegistry } from './source.sql.ts';

/** How the source knows a stream. */
export type Registration = {
  /** Value of `sarrio.registry` from before the rest was read: a later change shows. */
  readonly registry: string;
  /** The stream's present life. */
  readonly id: string;
  /** What the target has acknowledged, as stored; null before the first time. */
  readonly acknowledged: string | null;
  readonly position: Position | null;
  /** `sarrio copy --replace` asked for the target's rows to be replaced. */
  readonly replaceRows: boolean;
};

/** Reads the registration. A stream without one, or one that was detached, is refused. */
export async function readRegistration(stream: StreamName, source: Source): Promise<Registration> {
  const registry = (await source.query(readRegistry)).rows[0]?.['registry'] ?? '';
  const row = (await source.query(readAcknowledged, [stream.sync, stream.target])).rows[0];
  const id = row?.['registration'];
  if (!row || !id) throw unregistered(stream);
  if (row['detached_at']) throw detached(stream, `${row['detached_at']}: ${row['detached_reason'] ?? ''}`);
  const acknowledged = row['position'] ?? null;
  return { registry, id, acknowledged, position: acknowledged === null ? null : parsePosition(acknowledged), replaceRows: row['replace_rows'] === 't' };
}

/** Who paused a sync, when, until when and why; null where it is not, or where its time has come. */
export async function readPause(sync: string, source: Source): Promise<string | null> {
  const row = (await source.query(readPaused, [sync])).rows[0];
  return row ? pauseText(row) : null;
}

/** A row of `sarrio.paused`, with what it may lack. */
export function pauseText(row: Row): string {
  const until = row['paused_until'] ? ` until ${row['paused_until']}` : '';
  return `by ${row['paused_by']} since ${row['paused_at']}${until}${row['pause_reason'] ? `: ${row['pause_reason']}` : ''}`;
}

/** What a stream does when `sarrio.registry` has changed: goes on with the new value, or begins again because it is another stream now. */
export async function isStillRegistered(stream: StreamName, known: { source: Source; id: string }): Promise<string | null> {
  const { registry, id } = await readRegistration(stream, known.source);
  return id === known.id && (await readPause(stream.sync, known.source)) === null ? registry : null;
}

function unregistered(stream: StreamName): Error {
  return failure('refused', {
    code: 'SAR602',
    where: `database ${stream.source}`,
    message: `the stream ${stream.source} -> ${stream.target} of sync ${stream.sync} is not registered`,
    hint: 'Run: sarrio apply',
  });
}

function detached({ sync, source, target }: StreamName, reason: string): Error {
  return failure('refused', {
    code: 'SAR613',
    where: `database ${source}`,
    message: `${target} was detached from sync ${sync} at ${reason}; changes for it are no longer kept`,
    hint: `To copy its tables anew: sarrio copy --sync ${sync} --target ${target} --replace`,
  });
}
