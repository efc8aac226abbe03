import type { Session } from '../postgres/session.ts';
import { failure } from '../../plan/errors.ts';
import { sqlState } from '../postgres/connection-failure.ts';
import { forgetEndedPause, pauseSync, pauseSyncUntil, resumeSync, wakeRunner } from './control.sql.ts';
import { requestCopy } from './full-copy/full-copy.sql.ts';
import { announceRegistry } from './purge.sql.ts';
import { registerAnew } from './source.sql.ts';

/** A sync by its name and the sequence that wakes its runner. */
export type SyncName = { readonly sync: string; readonly wake: string };

/** Why a sync is to rest, and until when (as ISO 8601 says it); null: until it is resumed. */
export type PauseTerms = { readonly reason: string | null; readonly until: string | null };

/** Lets a sync rest until it is resumed or a time has come: the state is in the source, so it outlives runners. False when it was paused like this already. */
export async function pause(source: Session, name: SyncName, by: string, { reason, until }: PauseTerms = { reason: null, until: null }): Promise<boolean> {
  await source.query(forgetEndedPause, [name.sync]);
  const isPlain = reason === null && until === null;
  const { count } = isPlain
    ? await source.query(pauseSync, [name.sync, by])
    : await source.query(pauseSyncUntil, [name.sync, by, reason, until]).catch((error: unknown) => {
        throw withoutColumns(source, error);
      });
  await tellRunners(source, name);
  return count === 1;
}

/** What an earlier version has installed knows neither a reason nor a time. */
function withoutColumns({ database }: Session, error: unknown): unknown {
  if (sqlState(error) !== '42703') return error;
  const hint = 'Run `sarrio compile` and `sarrio apply` with this version first, or pause without --reason and --until.';
  return failure('refused', {
    code: 'SAR618',
    where: `database ${database}`,
    message: 'what is installed knows no reason and no end of a pause',
    hint,
    cause: error,
  });
}

/** False when it was not paused. */
export async function resume(source: Session, name: SyncName): Promise<boolean> {
  const { count } = await source.query(resumeSync, [name.sync]);
  await tellRunners(source, name);
  return count === 1;
}

/**
 * Lets the runner look at the sync now, and do what it has put off. `isCopy`: a full copy is asked for, by whichever runner comes next.
 */
export async function kick(source: Session, name: SyncName, by: { readonly isCopy: boolean; readonly user: string }): Promise<void> {
  if (by.isCopy) await source.query(requestCopy, [name.sync, by.user]);
  await tellRunners(source, name);
}

/** Gives a stream a new life: all its tables are copied again. False when it is not registered. */
export async function beginAnew(source: Session, name: SyncName, copy: { target: string; replace: boolean }): Promise<boolean> {
  const { count } = await source.query(registerAnew, [name.sync, copy.target, copy.replace ? 'true' : 'false']);
  await tellRunners(source, name);
  return count === 1;
}

/** What was said elsewhere (in a target) is worth a look now. */
export async function announce(source: Session, name: SyncName): Promise<void> {
  await tellRunners(source, name);
}

/** After the change is committed, so that whoever sees the new value sees the change. */
export async function tellRunners(source: Session, { sync, wake }: SyncName): Promise<void> {
  await source.query(announceRegistry);
  await source.query(wakeRunner, [sync, wake]);
}
