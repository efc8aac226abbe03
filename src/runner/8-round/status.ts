import { type Flow, namedFlows } from '../../plan/flows.ts';
import type { Plan, PlanCapture } from '../../plan/plan.ts';
import { displayName } from '../../sql/quote.ts';
import { breakText } from '../5-inspect/seal-break.ts';
import type { StreamName } from '../events.ts';
import { beforeAll, type History, parsePosition, type Position, sameHistory } from '../../plan/position.ts';
import { failureText } from '../postgres/error-text.ts';
import type { Session } from '../postgres/session.ts';
import { percentOfBudget } from './backlog.ts';
import { planFor } from './joins.sql.ts';
import { beginReading, captureOids, endReading, readHistory, setPosition } from './source.sql.ts';
import { type Waiting, waitingAt } from './guard/approvals.ts';
import { findingsText } from './guard/finding.ts';
import { copyStatus } from './full-copy/copy-status.ts';
import { countParked, readStoppedTables, readStreams, readTablesApart, readTablesHeld, readTargetStreams, summarizePending } from './status.sql.ts';
import { readUnsafe } from './watch-seals.ts';
import { streamTables } from './work.ts';
import type { Row } from '../postgres/statement.ts';
import type { StreamStatus } from './stream-status.ts';
import type { StoppedTable } from './stream-status.ts';

/** A runner that has reported nothing for so long is not there. */
const SILENT_SECONDS = 30;

type Connect = (database: string) => Promise<Session>;

/** Asks every database of the plan, takes no lock, and goes on where one cannot be reached. */
export async function readStatus(plan: Plan, connect: Connect): Promise<readonly StreamStatus[]> {
  const members = new Set(Object.values(plan.syncs).flatMap((sync) => (sync.mode === 'multi-master' ? sync.members : [])));
  const guarded = new Set(Object.values(plan.syncs).flatMap((sync) => (sync.mode === 'one-way' && sync.guard !== undefined ? sync.targets : [])));
  const targets = new Map<string, Promise<TargetAnswer | Error>>();
  const target = (name: string): Promise<TargetAnswer | Error> => {
    const asked = targets.get(name) ?? askTarget(name, connect, { isMember: members.has(name), isGuarded: guarded.has(name) });
    targets.set(name, asked);
    return asked;
  };
  const capturesOf = (name: string, flow: Flow) => (plan.databases[flow.source]?.captures ?? []).filter(({ syncs: readers }) => readers.includes(name));
  const flows = await Promise.all(
    namedFlows(plan.syncs).map(({ sync: name, flow }) => flowStatus({ plan, name, sync: flow, captures: capturesOf(name, flow), connect, target })),
  );
  const copies = Object.entries(plan.syncs).map(([name, sync]) =>
    sync.mode === 'full-copy' ? copyStatus({ name, sync, open: (database) => openQuietly(database, connect), unreachable }) : [],
  );
  return [...flows.flat(), ...(await Promise.all(copies)).flat()];
}

type Asked = {
  readonly plan: Plan;
  readonly name: string;
  readonly sync: Flow;
  /** Of the sync's tables in its source. */
  readonly captures: readonly PlanCapture[];
  readonly connect: Connect;
  readonly target: (name: string) => Promise<TargetAnswer | Error>;
};

type TargetAnswer = {
  readonly streams: readonly Row[];
  readonly apart: readonly Row[];
  readonly held: readonly Row[];
  readonly stopped: readonly Row[];
  readonly parked: readonly Row[];
  readonly waiting: readonly Waiting[];
};

async function flowStatus({ plan, name, sync, captures, connect, target }: Asked): Promise<readonly StreamStatus[]> {
  const streams = sync.targets.map((each): StreamName => ({ sync: name, source: sync.source, target: each }));
  const source = await openQuietly(sync.source, connect);
  if (source instanceof Error) return streams.map((stream) => unreachable(stream, failureText(source)));
  try {
    const rows = (await source.query(readStreams)).rows;
    const history = historyOf((await source.query(readHistory)).rows[0]);
    const unsafe = (await readUnsafe(source, captures)).map(({ capture, broken, since }) => ({
      table: displayName(capture.table),
      reason: breakText(broken),
      since,
    }));
    const gone = await goneTables(source, sync, captures);
    const found: StreamStatus[] = [];
    for (const stream of streams) {
      const row = rows.find((each) => each['sync'] === name && each['target'] === stream.target);
      found.push(await streamStatus({ plan, stream, sync, source, history, row, unsafe, gone, applied: await target(stream.target) }));
    }
    return found;
  } finally {
    await source.close();
  }
}

type Parts = {
  readonly plan: Plan;
  readonly stream: StreamName;
  readonly sync: Flow;
  readonly source: Session;
  readonly history: History;
  readonly row: Row | undefined;
  readonly unsafe: StreamStatus['unsafe'];
  /** Tables whose delta tables are not there, by ordinal: a migration may be half way. */
  readonly gone: ReadonlySet<number>;
  readonly applied: TargetAnswer | Error;
};

async function goneTables(source: Session, { tables }: Flow, captures: readonly PlanCapture[]): Promise<Parts['gone']> {
  const there = new Set((await source.query(captureOids)).rows.map(({ name }) => name));
  const gone = new Set(captures.filter(({ delta }) => !there.has(delta)).map(({ table }) => displayName(table)));
  return new Set([...tables.keys()].filter((ordinal) => gone.has(displayName(tables[ordinal]?.source ?? { schema: '', name: '' }))));
}

async function streamStatus(parts: Parts): Promise<StreamStatus> {
  const { stream, sync, row, applied } = parts;
  const isSilent = !row?.['state'] || Number(row['reported_seconds_ago']) > SILENT_SECONDS;
  const watermark = applied instanceof Error ? undefined : applied.streams.find((each) => each['sync'] === stream.sync && each['source'] === stream.source);
  const position = watermark?.['position'] ?? row?.['acknowledged'] ?? null;
  const others = applied instanceof Error ? [] : sync.mode === 'one-way' ? applied.apart : applied.held;
  const apart = others.filter((each) => each['sync'] === stream.sync && each['source'] === stream.source);
  const pending = await pendingOf(parts, { stored: position, apart });
  const waiting = applied instanceof Error ? null : (applied.waiting.find((each) => each.sync === stream.sync && each.source === stream.source) ?? null);
  const situation = situationOf(row, watermark, waiting);
  const state = isSilent ? 'not running' : (row['state'] ?? 'not running');
  return {
    ...stream,
    state: situation === null || (situation.state === 'unverified' && state !== 'running') ? state : situation.state,
    reason: situation?.reason ?? null,
    backlogPercent: await budgetOf(parts),
    ...pending,
    rowsPerSecond: isSilent ? 0 : Number(row['rows_per_second']),
    appliedRows: watermark ? Number(watermark['applied_rows']) : null,
    lastRoundAt: row?.['last_round_at'] ?? null,
    lastError: applied instanceof Error ? failureText(applied) : (row?.['last_error'] ?? null),
    lastErrorAt: row?.['last_error_at'] ?? null,
    runner: row?.['runner'] ?? null,
    lastCopy: null,
    unsafe: parts.unsafe,
    stopped: applied instanceof Error ? [] : applied.stopped.filter((each) => each['sync'] === stream.sync).map(stoppedTable),
    waiting,
    parked: applied instanceof Error ? 0 : Number(applied.parked.find((each) => each['sync'] === stream.sync)?.['parked'] ?? 0),
  };
}

/** What the databases say of a stream, whether or not a runner is there. */
function situationOf(row: Row | undefined, watermark: Row | undefined, waiting: Waiting | null): { readonly state: string; readonly reason: string } | null {
  if (row?.['detached_at']) return { state: 'detached', reason: `detached since ${row['detached_at']}: ${row['detached_reason']}` };
  if (row?.['paused_at']) return { state: 'paused', reason: `paused by ${row['paused_by']} since ${row['paused_at']}` };
  if (waiting !== null) return { state: 'waiting', reason: `waits since ${waiting.heldAt} for approval of ${findingsText(waiting.findings)}` };
  if (!watermark?.['unverified_since']) return null;
  return { state: 'unverified', reason: `unverified since ${watermark['unverified_since']}: ${watermark['unverified_reason']}` };
}

async function budgetOf({ plan, stream, source, history, row }: Parts): Promise<number | null> {
  if (row?.['detached_at']) return null;
  const acknowledged = row?.['acknowledged'];
  const position = acknowledged ? parsePosition(acknowledged) : null;
  const known = position !== null && sameHistory(position.history, history) ? position : beforeAll(history);
  return percentOfBudget({ plan, session: source, sync: stream.sync, position: known });
}

/** A table that does not follow the watermark is counted from where it stands. */
async function pendingOf(
  { sync, source, history, stream, gone }: Parts,
  { stored, apart }: { readonly stored: string | null; readonly apart: readonly Row[] },
): Promise<{ pending: number | null; lagSeconds: number | null }> {
  if (stored === null) return { pending: null, lagSeconds: null };
  const known = (text: string): Position => {
    const parsed = parsePosition(text);
    return parsed.history.timeline === history.timeline ? parsed : beforeAll(history);
  };
  const positions = new Map(apart.map((row) => [row['relation'], row['position'] ?? '']));
  const tables = streamTables(sync, stream.target).filter(({ ordinal }) => !gone.has(ordinal));
  const groups = [
    { position: known(stored), tables: tables.filter(({ relation }) => !positions.has(relation)) },
    ...tables.flatMap((table) => (positions.has(table.relation) ? [{ position: known(positions.get(table.relation) ?? ''), tables: [table] }] : [])),
  ].filter((group) => group.tables.length > 0);
  const answers = await source.batch([
    beginReading,
    { text: planFor('few') },
    ...groups.flatMap((group) => [setPosition(group.position), { text: summarizePending(group.tables.map(({ table }) => table.countPending)) }]),
    { text: endReading },
  ]);
  const counted = groups.map((_, place) => answers[3 + 2 * place]?.lists[0] ?? []);
  const lag = Math.max(0, ...counted.map(([, seconds]) => Number(seconds)));
  return { pending: counted.reduce((sum, [entries]) => sum + Number(entries), 0), lagSeconds: Number(lag.toFixed(3)) };
}

function stoppedTable(row: Row): StoppedTable {
  const key = row['key'];
  return {
    table: row['relation'] ?? '',
    code: row['code'] ?? '',
    reason: row['message'] ?? '',
    hint: row['hint'] ?? '',
    key: key ? (JSON.parse(key) as Record<string, string | null>) : null,
    since: row['stopped_at'] ?? '',
  };
}

async function askTarget(name: string, connect: Connect, { isMember, isGuarded }: { isMember: boolean; isGuarded: boolean }): Promise<TargetAnswer | Error> {
  const session = await openQuietly(name, connect);
  if (session instanceof Error) return session;
  try {
    const streams = (await session.query(readTargetStreams)).rows;
    const stopped = (await session.query(readStoppedTables)).rows;
    const apart = (await session.query(readTablesApart)).rows;
    const held = isMember ? (await session.query(readTablesHeld)).rows : [];
    const parked = isMember ? (await session.query(countParked)).rows : [];
    return { streams, apart, held, stopped, parked, waiting: isGuarded ? await waitingAt(session) : [] };
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  } finally {
    await session.close();
  }
}

/** An unreachable database is part of the answer, not a failure of the question. */
async function openQuietly(name: string, connect: Connect): Promise<Session | Error> {
  try {
    return await connect(name);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function unreachable(stream: StreamName, error: string): StreamStatus {
  return {
    ...stream,
    state: 'unknown',
    reason: null,
    backlogPercent: null,
    lagSeconds: null,
    pending: null,
    rowsPerSecond: 0,
    appliedRows: null,
    lastRoundAt: null,
    lastError: error,
    lastErrorAt: null,
    runner: null,
    lastCopy: null,
    unsafe: [],
    stopped: [],
    waiting: null,
    parked: 0,
  };
}

function historyOf(row: Row | undefined): History {
  return { system: row?.['system'] ?? '', database: row?.['database'] ?? '', timeline: Number(row?.['timeline']) };
}
