import type { PlanFullCopy } from '../../../plan/plan-full-copy.ts';
import type { StreamName } from '../../events.ts';
import { failureText } from '../../postgres/error-text.ts';
import type { Session } from '../../postgres/session.ts';
import { readPaused } from '../source.sql.ts';
import { dueOf } from './due.ts';
import { readCopyResult, readCopyStreams, readRequest } from './full-copy.sql.ts';
import type { Row } from '../../postgres/statement.ts';
import type { StreamStatus } from '../stream-status.ts';
type Asked = {
  readonly name: string;
  readonly sync: PlanFullCopy;
  readonly open: (database: string) => Promise<Session | Error>;
  /** What is said of a stream whose source cannot be asked. */
  readonly unreachable: (stream: StreamName, error: string) => StreamStatus;
};

/** A runner that has reported nothing for so long is not there. */
const SILENT_SECONDS = 30;

/** Every stream of a full copy. Its lag is by how much the copy is overdue. */
export async function copyStatus({ name, sync, open, unreachable }: Asked): Promise<readonly StreamStatus[]> {
  const streams = sync.targets.map((target): StreamName => ({ sync: name, source: sync.source, target }));
  const source = await open(sync.source);
  if (source instanceof Error) return streams.map((stream) => unreachable(stream, failureText(source)));
  try {
    const said = (await source.query(readCopyStreams, [name])).rows;
    const request = (await source.query(readRequest, [name])).rows[0];
    const pause = (await source.query(readPaused, [name])).rows[0];
    return await Promise.all(
      streams.map(async (stream) => {
        const row = said.find((each) => each['target'] === stream.target);
        return statusOf({ stream, sync, row, request, pause, result: await askTarget(stream, open) });
      }),
    );
  } finally {
    await source.close();
  }
}

async function askTarget({ sync, source, target }: StreamName, open: Asked['open']): Promise<Row | null | Error> {
  const session = await open(target);
  if (session instanceof Error) return session;
  try {
    return (await session.query(readCopyResult, [sync, source])).rows[0] ?? null;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  } finally {
    await session.close();
  }
}

type Parts = {
  readonly stream: StreamName;
  readonly sync: PlanFullCopy;
  readonly row: Row | undefined;
  readonly request: Row | undefined;
  readonly pause: Row | undefined;
  readonly result: Row | null | Error;
};

function statusOf({ stream, sync, row, request, pause, result }: Parts): StreamStatus {
  const isSilent = !row?.['state'] || Number(row['reported_seconds_ago']) > SILENT_SECONDS;
  const known = result instanceof Error ? null : result;
  const next = result instanceof Error ? null : nextOf(sync, request, known);
  return {
    ...stream,
    state: pause ? 'paused' : isSilent ? 'not running' : (row['state'] ?? 'not running'),
    reason: pause ? `paused by ${pause['paused_by']} since ${pause['paused_at']}` : null,
    backlogPercent: null,
    lagSeconds: next?.overdueSeconds ?? null,
    pending: null,
    rowsPerSecond: isSilent ? 0 : Number(row['rows_per_second']),
    appliedRows: known?.['copied_at'] ? Number(known['copied_rows']) : null,
    lastRoundAt: row?.['last_round_at'] ?? null,
    lastError: result instanceof Error ? failureText(result) : (row?.['last_error'] ?? null),
    lastErrorAt: row?.['last_error_at'] ?? null,
    runner: row?.['runner'] ?? null,
    lastCopy: known?.['copied_at']
      ? {
          at: known['copied_at'],
          rows: Number(known['copied_rows']),
          seconds: Number(known['duration_ms']) / 1000,
          nextInSeconds: next?.inSeconds ?? null,
        }
      : null,
    unsafe: [],
    stopped: [],
    waiting: null,
    parked: 0,
  };
}

function nextOf(sync: PlanFullCopy, request: Row | undefined, result: Row | null): { readonly inSeconds: number | null; readonly overdueSeconds: number } {
  const nowMs = Number(request?.['now_ms']);
  const copiedMs = result?.['copied_at'] ? Number(result['copied_ms']) : null;
  const served = { kick: request?.['kick'] ?? null, servedKick: result?.['kick'] ?? null };
  const due = dueOf(sync.schedule, { nowMs, copiedMs, ...served });
  if (due.reason === null) return { inSeconds: due.inMs === null ? null : Math.ceil(due.inMs / 1000), overdueSeconds: 0 };
  return { inSeconds: 0, overdueSeconds: Number((due.overdueMs / 1000).toFixed(3)) };
}
