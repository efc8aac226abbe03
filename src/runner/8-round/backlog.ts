import { flowsOf, namedFlows } from '../../plan/flows.ts';
import type { BacklogBudget, Plan } from '../../plan/plan.ts';
import type { Clock } from '../clock.ts';
import type { Log, StreamName } from '../events.ts';
import { beforeAll, type History, parsePosition, type Position, positionSettings, sameHistory } from '../../plan/position.ts';
import type { Session } from '../postgres/session.ts';
import { textArray } from '../postgres/text-array.ts';
import { detachStream, readHolders, readSegmentSizes, sampleSegment } from './backlog.sql.ts';
import type { Row } from '../postgres/statement.ts';

/** A target that was not healthy for so long, and holds more than its sync's budget, is detached. */
export const DETACH_AFTER_MS = 60_000;
/** Share of the budget from which on the runner warns. */
const ALARM_AT = 0.8;

/** A runner that has reported nothing for so long is not there. */
const SILENT_SECONDS = 30;
/** A backlog is estimated from about so many pages of each segment, however large it is. */
const SAMPLED_PAGES = 300;
/** No entry is smaller on disk: a backlog of fewer bytes cannot hold so many. */
const LEAST_ENTRY_BYTES = 48;

/** What one process remembers between its looks: by stream, since when it is unhealthy, and whether its alarm was told. */
export type BacklogWatch = { readonly unhealthySince: Map<string, number>; readonly alarmed: Set<string> };

export function newBacklogWatch(): BacklogWatch {
  return { unhealthySince: new Map(), alarmed: new Set() };
}

export type BacklogOptions = {
  readonly database: string;
  readonly plan: Plan;
  readonly session: Session;
  readonly history: History;
  readonly log: Log;
  readonly clock: Clock;
  readonly watch: BacklogWatch;
  readonly graceMs: number;
};

/** What a stream keeps from being purged: an estimate from a sample, except where segments are small. */
export type Backlog = { readonly bytes: number; readonly rows: number };

/**
 * Holds every sync of a source to its declared budget: warns from 80 % on, and beyond the budget detaches targets that are away,
 * failing or paused. A target whose runner is at work is never detached; it is warned of as long as it is behind.
 */
export async function watchBacklog(options: BacklogOptions): Promise<void> {
  for (const { sync, flow } of namedFlows(options.plan.syncs)) {
    if (flow.source === options.database && flow.maxBacklog !== null) await watchSync(options, sync, flow.maxBacklog);
  }
}

async function watchSync(options: BacklogOptions, sync: string, budget: BacklogBudget): Promise<void> {
  const { session } = options;
  const segments = await segmentsOf(options, sync);
  const near = isNear(segments, budget);
  for (const row of (await session.query(readHolders, [sync, String(SILENT_SECONDS)])).rows) {
    const holder = holderOf(options, sync, row);
    noteHealth(options, holder);
    const backlog = near ? await backlogOf(options, segments, holder.position) : { bytes: 0, rows: 0 };
    await holdTo(options, { holder, backlog, budget });
  }
}

type Holder = {
  readonly stream: StreamName;
  readonly registration: string;
  /** As stored. */
  readonly acknowledged: string | null;
  readonly position: Position;
  readonly isHealthy: boolean;
  readonly state: string;
};

function holderOf({ database, history }: BacklogOptions, sync: string, row: Row): Holder {
  const acknowledged = row['position'] ?? null;
  const parsed = acknowledged === null ? null : parsePosition(acknowledged);
  return {
    stream: { sync, source: database, target: row['target'] ?? '' },
    registration: row['registration'] ?? '',
    acknowledged,
    position: parsed !== null && sameHistory(parsed.history, history) ? parsed : beforeAll(history),
    isHealthy: row['is_healthy'] === 't',
    state: row['state'] ?? '',
  };
}

function noteHealth({ watch, clock }: BacklogOptions, { registration, isHealthy }: Holder): void {
  if (isHealthy) watch.unhealthySince.delete(registration);
  else if (!watch.unhealthySince.has(registration)) watch.unhealthySince.set(registration, clock.now());
}

async function holdTo(options: BacklogOptions, held: { holder: Holder; backlog: Backlog; budget: BacklogBudget }): Promise<void> {
  const { log, watch, clock, graceMs } = options;
  const { holder, backlog, budget } = held;
  const { stream, registration } = holder;
  const share = shareOf(backlog, budget);
  if (share < ALARM_AT) {
    watch.alarmed.delete(registration);
    return;
  }
  if (!watch.alarmed.has(registration)) log({ kind: 'backlog', stream, ...backlog, percent: Math.floor(share * 100) });
  watch.alarmed.add(registration);
  const since = watch.unhealthySince.get(registration);
  if (share < 1 || since === undefined || clock.now() - since < graceMs) return;
  const reason = `it is ${holder.state} and holds back ${backlog.rows} changes, ${backlog.bytes} bytes; maxBacklog is ${budgetText(budget)}`;
  const { count } = await options.session.query(detachStream, [stream.sync, stream.target, registration, reason, holder.acknowledged]);
  if (count === 1)
    log({ kind: 'detached', stream, reason: `${reason}. To copy its tables anew: sarrio copy --sync ${stream.sync} --target ${stream.target} --replace` });
}

/** How much of the budget is used: the larger share of the two. */
function shareOf(backlog: Backlog, budget: BacklogBudget): number {
  return Math.max(backlog.bytes / (budget.bytes ?? Number.POSITIVE_INFINITY), backlog.rows / (budget.rows ?? Number.POSITIVE_INFINITY));
}

function budgetText({ bytes, rows }: BacklogBudget): string {
  return [bytes === null ? [] : `${bytes} bytes`, rows === null ? [] : `${rows} changes`].flat().join(', ');
}

type Segment = { readonly name: string; readonly bytes: number; readonly pages: number };

/** Percent of its sync's budget that a stream at this position uses, once it is near; 0 before that, null without a budget. */
export async function percentOfBudget(at: { plan: Plan; session: Session; sync: string; position: Position }): Promise<number | null> {
  const { plan, session, sync, position } = at;
  const planned = plan.syncs[sync];
  const { database } = session;
  const budget = (planned && flowsOf(planned).find(({ source }) => source === database))?.maxBacklog ?? null;
  if (budget === null) return null;
  const segments = await segmentsOf({ plan, database, session }, sync);
  if (!isNear(segments, budget)) return 0;
  return Math.floor(shareOf(await backlogOf({ session }, segments, position), budget) * 100);
}

/** Whether the segments are large enough for anything to be near the budget. */
function isNear(segments: readonly Segment[], budget: BacklogBudget): boolean {
  const bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
  return shareOf({ bytes, rows: bytes / LEAST_ENTRY_BYTES }, budget) >= ALARM_AT;
}

async function segmentsOf({ plan, database, session }: Pick<BacklogOptions, 'plan' | 'database' | 'session'>, sync: string): Promise<readonly Segment[]> {
  const captures = plan.databases[database]?.captures ?? [];
  const names = captures.filter(({ syncs }) => syncs.includes(sync)).flatMap(({ segments }) => segments);
  const { rows } = await session.query(readSegmentSizes, [textArray(names)]);
  return rows.map((row) => ({ name: row['name'] ?? '', bytes: Number(row['bytes']), pages: Number(row['pages']) })).filter(({ pages }) => pages > 0);
}

async function backlogOf({ session }: Pick<BacklogOptions, 'session'>, segments: readonly Segment[], position: Position): Promise<Backlog> {
  const { xmax, xip, extra } = positionSettings(position);
  const sum = { bytes: 0, rows: 0 };
  for (const { name, bytes, pages } of segments) {
    const percent = Math.min(100, (100 * SAMPLED_PAGES) / pages);
    const row = (await session.query(sampleSegment(name), [String(percent), xmax, xip, extra])).rows[0];
    const [entries, held] = [Number(row?.['entries']), Number(row?.['held'])];
    sum.bytes += entries === 0 ? 0 : (bytes * held) / entries;
    sum.rows += (held * 100) / percent;
  }
  return { bytes: Math.round(sum.bytes), rows: Math.round(sum.rows) };
}
