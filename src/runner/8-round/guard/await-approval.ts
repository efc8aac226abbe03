import type { Heart } from '../heartbeat.ts';
import { readRegistry } from '../source.sql.ts';
import { findingsText } from './finding.ts';
import { awaitsApproval, type Guard, type Hold } from './guard.ts';
import type { Following } from '../following.ts';

/** How often a stream that waits for approval asks whether it has it. */
const ASK_APPROVAL_MS = 500;

/** Whoever waits for approval looks again when it is given, or when the sync was paused or the stream begun anew. */
export async function mayLook({ source }: Following, { guard, registry }: { readonly guard: Guard; readonly registry: string }): Promise<boolean> {
  if (await guard.mayLook()) return true;
  return (await source.query(readRegistry)).rows[0]?.['registry'] !== registry;
}

/** Between two questions whether it is approved. */
export async function rest({ clock, signal }: Following, heart: Heart): Promise<void> {
  await heart.beat();
  await clock.sleep(ASK_APPROVAL_MS, signal);
}

/** Triggers need not notify a stream that waits. */
export async function holdBack({ until, stream, wake, enter }: Following, hold: Hold): Promise<void> {
  if (until !== 'stopped') throw awaitsApproval(stream, hold);
  enter('waiting', `for approval of ${findingsText(hold.findings)}: sarrio approve ${hold.id.slice(0, 8)}`);
  await wake.found(Number.POSITIVE_INFINITY);
}
