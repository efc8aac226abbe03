import type { Session } from '../postgres/session.ts';
import { pauseSync, resumeSync, wakeRunner } from './control.sql.ts';
import { requestCopy } from './full-copy/full-copy.sql.ts';
import { announceRegistry } from './purge.sql.ts';
import { registerAnew } from './source.sql.ts';

/** A sync by its name and the sequence that wakes its runner. */
export type SyncName = { readonly sync: string; readonly wake: string };

/** Lets a sync rest until it is resumed: the state is in the source, so it outlives runners. False when it was paused already. */
export async function pause(source: Session, name: SyncName, by: string): Promise<boolean> {
  const { count } = await source.query(pauseSync, [name.sync, by]);
  await tellRunners(source, name);
  return count === 1;
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
