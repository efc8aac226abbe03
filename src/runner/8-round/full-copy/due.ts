import { nextDue, type Schedule } from '../../../plan/schedule.ts';
import type { CopyReason } from '../../events.ts';

/** What the source and the target say of a full copy; times in milliseconds since 1970, by the source's clock. */
export type CopyState = {
  readonly nowMs: number;
  /** The last request in the source, and the last that was served. */
  readonly kick: string | null;
  readonly servedKick: string | null;
  /** When the last copy was begun; null when there was none. */
  readonly copiedMs: number | null;
};

/** Why a copy is due and for how long it has been, or in how many milliseconds the next one is (null: when somebody asks for it). */
export type Due = { readonly reason: CopyReason; readonly overdueMs: number } | { readonly reason: null; readonly inMs: number | null };

/** Whether a copy is to be made. Only times of databases count. */
export function dueOf(schedule: Schedule | null, state: CopyState): Due {
  const { nowMs, copiedMs, kick, servedKick } = state;
  if (copiedMs === null) return { reason: 'first', overdueMs: 0 };
  if (kick !== null && kick !== servedKick) return { reason: 'kicked', overdueMs: 0 };
  if (schedule === null) return { reason: null, inMs: null };
  const inMs = nextDue(schedule, copiedMs) - nowMs;
  return inMs <= 0 ? { reason: 'due', overdueMs: -inMs } : { reason: null, inMs };
}
