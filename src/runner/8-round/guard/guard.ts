import { failure } from '../../../plan/errors.ts';
import type { PlanGuard } from '../../../plan/plan-guard.ts';
import { formatPosition, parsePosition, type Position } from '../../../plan/position.ts';
import type { Clock } from '../../clock.ts';
import type { Log, StreamName } from '../../events.ts';
import type { Failpoint } from '../../failpoint.ts';
import type { Session } from '../../postgres/session.ts';
import type { Reading } from '../reading.ts';
import { beginApply, commitApply } from '../target.sql.ts';
import type { TableWork } from '../work.ts';
import { type Finding, findingsText } from './finding.ts';
import { holdChanges, readGuard, withdrawHold } from './guard.sql.ts';
import { judge } from './judge.ts';
import type { Row } from '../../postgres/statement.ts';

/** What waits may have gone by itself (rows written again): it is looked at this often. */
const JUDGE_AGAIN_MS = 60_000;

/** Changes that wait, as `sarrio.guard` has them. */
export type Hold = { readonly id: string; readonly findings: readonly Finding[]; readonly heldAt: string };

/** Keeps a stream from applying what somebody has to approve first. */
export type Guard = {
  /** Null when a round may go on; else what it waits for, recorded in the target. */
  judge(reading: Reading, work: readonly TableWork[]): Promise<Hold | null>;
  /** Whether it is time to look at the source again: nothing waits, or it was approved meanwhile, or some time has passed. */
  mayLook(): Promise<boolean>;
};

export type GuardOptions = {
  readonly guard: PlanGuard | undefined;
  readonly stream: StreamName;
  /** The stream's present life. */
  readonly registration: string;
  readonly target: Session;
  readonly clock: Clock;
  readonly log: Log;
  readonly failpoint: Failpoint;
};

/**
 * An approval is a position of the tables that it names: it covers what was pending in them when the changes were held, and nothing that
 * came later, which is judged by itself. So who approves knows what he approves, whatever is written in the meantime. Until then no look
 * becomes a round: the watermark stays, and with it everything that is pending in the source.
 */
export function makeGuard(options: GuardOptions): Guard | null {
  const { guard, target, clock, log, stream } = options;
  if (guard === undefined) return null;
  // Nobody but this stream's runner holds anything, and only what waits can be approved: so it is read once, and again while something waits.
  const state: { hold: Hold | null; judgedAt: number; known: readonly Read[] | null } = { hold: null, judgedAt: 0, known: null };
  return {
    judge: async (reading, work) => {
      const held = state.known ?? (await readHolds(options));
      state.known = held;
      const approved = held.filter(({ approvedAt }) => approvedAt !== null);
      const findings = await judge({ guard, reading, target, work, approved });
      const waiting = held.find(({ approvedAt }) => approvedAt === null);
      state.judgedAt = clock.now();
      if (findings.length === 0) {
        if (waiting !== undefined) {
          await withdraw(options, waiting.id);
          state.known = null;
        }
        state.hold = null;
        return null;
      }
      const isNew = waiting === undefined || state.hold?.id !== waiting.id;
      state.hold = waiting ?? (await hold(options, reading, findings));
      state.known = null;
      if (isNew) log({ kind: 'guard-held', code: 'SAR660', stream, id: state.hold.id, findings: findingsText(state.hold.findings) });
      return state.hold;
    },
    mayLook: async () => {
      const { hold: waiting } = state;
      if (waiting === null || clock.now() - state.judgedAt >= JUDGE_AGAIN_MS) return true;
      const found = (await readHolds(options)).find(({ id }) => id === waiting.id);
      if (found !== undefined && found.approvedAt === null) return false;
      if (found?.approvedBy) log({ kind: 'guard-approved', stream, id: waiting.id, by: found.approvedBy });
      state.hold = null;
      state.known = null;
      return true;
    },
  };
}

/** A run that should end by itself does not wait for a person. */
export function awaitsApproval(stream: StreamName, { id, findings }: Hold): Error {
  return failure('refused', {
    code: 'SAR660',
    where: `database ${stream.target}`,
    message: `sync ${stream.sync} from ${stream.source} waits for approval: ${findingsText(findings)}`,
    hint: `Look at what was deleted at ${stream.source}. To let it go to ${stream.target}: sarrio approve ${id.slice(0, 8)}`,
  });
}

type Read = Hold & { readonly position: Position; readonly approvedBy: string | null; readonly approvedAt: string | null };

async function readHolds({ stream, registration, target }: GuardOptions): Promise<readonly Read[]> {
  return (await target.query(readGuard, [stream.sync, stream.source, registration])).rows.map((row) => ({
    ...holdOf(row),
    position: parsePosition(row['position'] ?? ''),
    approvedBy: row['approved_by'] ?? null,
    approvedAt: row['approved_at'] ?? null,
  }));
}

export function holdOf(row: Row): Hold {
  return { id: row['id'] ?? '', findings: JSON.parse(row['findings'] ?? '[]') as readonly Finding[], heldAt: row['held_at'] ?? '' };
}

/** The source must have on disk what is approved: otherwise its transaction ids could come to mean other changes. */
async function hold({ stream, registration, target, failpoint }: GuardOptions, reading: Reading, findings: readonly Finding[]): Promise<Hold> {
  await reading.durable();
  await failpoint('guard.before-hold');
  const values = [stream.sync, stream.source, registration, formatPosition(reading.position), JSON.stringify(findings)];
  const [, held] = await target.batch([{ text: beginApply }, { text: holdChanges, values }, { text: commitApply }]);
  await failpoint('guard.after-hold');
  return { id: held?.lists[0]?.[0] ?? '', findings, heldAt: '' };
}

async function withdraw({ stream, target, log }: GuardOptions, id: string): Promise<void> {
  await target.batch([{ text: beginApply }, { text: withdrawHold, values: [id] }, { text: commitApply }]);
  log({ kind: 'guard-withdrawn', stream, id });
}
