import { failure, SarrioError } from '../../plan/errors.ts';
import type { Plan } from '../../plan/plan.ts';
import type { Clock } from '../clock.ts';
import type { Failpoint } from '../failpoint.ts';
import { sqlState } from '../postgres/connection-failure.ts';
import { failureText } from '../postgres/error-text.ts';
import type { Session } from '../postgres/session.ts';
import type { ApplyLog } from './apply-event.ts';
import { beginGroup, COMMIT_GROUP, ROLLBACK_GROUP } from './group.sql.ts';
import { actionFailpoint, type Group } from './groups.ts';
import { lockedTables, lockHolders, lockTables } from './lock-tables.ts';
import { recordGroup } from './record-group.ts';
import { checkSeal, recordSeal, type SeenSeals } from './seal-group.ts';

/** What applying needs of its surroundings. */
export type ApplyContext = {
  readonly plan: Plan;
  readonly clock: Clock;
  readonly log: ApplyLog;
  readonly failpoint: Failpoint;
  readonly signal: AbortSignal;
  /** Longest wait for a lock on a table, and so the longest time that writers queue behind us. */
  readonly ddlLockTimeoutMs: number;
  readonly ddlRetries: number;
  /** Between 0 and 1, spreads retries. */
  readonly random: () => number;
};

const FIRST_BACKOFF_MS = 100;
const LONGEST_BACKOFF_MS = 3_000;
/** lock_not_available, deadlock_detected, query_canceled (the limit on all of a group's locks together). */
export const BUSY_STATES: ReadonlySet<string> = new Set(['55P03', '40P01', '57014']);

type GroupRun = { readonly session: Session; readonly group: Group; readonly context: ApplyContext; readonly seen: SeenSeals | null };

/** Runs one group in one transaction; a table that is busy is left alone for a while and tried again. */
export async function runGroup(options: GroupRun): Promise<void> {
  const { session, group, context } = options;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await tryGroup(options);
    } catch (error) {
      if (session.isOpen()) await session.query(ROLLBACK_GROUP).catch(() => session.destroy());
      if (!BUSY_STATES.has(sqlState(error) ?? '') || !session.isOpen()) throw groupFailure(group, error);
      const holders = await lockHolders(session, group);
      if (attempt > context.ddlRetries || context.signal.aborted) throw stillBusy({ group, holders, context, cause: error });
      context.log({ kind: 'blocked', database: group.database, group: group.name, attempt, of: context.ddlRetries, holders });
      await context.clock.sleep(backoff(attempt, context.random), context.signal);
    }
  }
}

async function tryGroup(options: GroupRun): Promise<void> {
  const { session, group, context, seen } = options;
  const { failpoint, plan, ddlLockTimeoutMs: timeoutMs } = context;
  const sealing = { session, group, plan, seen };
  const actions: readonly (() => Promise<unknown>)[] = [
    () => lockTables({ session, group, timeoutMs }).then(() => checkSeal(sealing)),
    ...group.steps.map((step) => async () => (step.sql === '' ? undefined : session.query(step.sql))),
    () => recordGroup({ session, group, plan }).then(() => recordSeal(sealing)),
  ];
  await session.query(beginGroup(timeoutMs));
  for (const [index, act] of actions.entries()) {
    await failpoint(actionFailpoint(group, 'before', index + 1));
    await act();
    await failpoint(actionFailpoint(group, 'after', index + 1));
  }
  await failpoint(actionFailpoint(group, 'before', 'commit'));
  const { command } = await session.query(COMMIT_GROUP);
  if (command !== 'COMMIT') throw new Error(`the transaction was not committed: the server answered ${command}`);
  await failpoint(actionFailpoint(group, 'after', 'commit'));
}

/** Doubles, with jitter over its upper half, so that two who wait for each other fall out of step. */
export function backoff(attempt: number, random: () => number): number {
  const full = Math.min(FIRST_BACKOFF_MS * 2 ** (attempt - 1), LONGEST_BACKOFF_MS);
  return full / 2 + (full / 2) * random();
}

function stillBusy(options: { group: Group; holders: readonly string[]; context: ApplyContext; cause: unknown }): SarrioError {
  const { group, holders, context, cause } = options;
  const tables = lockedTables(group).length > 0 ? `table ${group.name}` : `the objects of ${group.name}`;
  return failure('failed', {
    code: 'SAR505',
    where: `database ${group.database}`,
    cause,
    message: `${tables} stayed locked through ${context.ddlRetries + 1} tries of ${context.ddlLockTimeoutMs} ms${holders.length > 0 ? ` by ${holders.join(', ')}` : ''}`,
    hint: 'Run the same command again when these sessions are done; --ddl-retries and --ddl-lock-timeout try longer.',
  });
}

function groupFailure(group: Group, error: unknown): SarrioError {
  if (error instanceof SarrioError) return error;
  return failure('failed', {
    code: 'SAR506',
    where: `database ${group.database}, group ${group.name}`,
    cause: error,
    message: `a statement failed, and its transaction was rolled back: ${failureText(error)}`,
    hint: 'Mend the cause and run the same command again: it goes on from here.',
  });
}
