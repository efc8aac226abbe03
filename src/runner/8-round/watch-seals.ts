import type { PlanCapture, PlanDatabase } from '../../plan/plan.ts';
import { displayName } from '../../sql/quote.ts';
import { readRecordedSeals, readSeals } from '../5-inspect/seal.ts';
import { breakText, brokenReason, type SealBreak, sealBreak } from '../5-inspect/seal-break.ts';
import { MARK_BROKEN } from '../5-inspect/seal.sql.ts';
import type { Log } from '../events.ts';
import type { Session } from '../postgres/session.ts';

/** A captured table of which changes may have gone by uncaptured. */
export type UnsafeTable = { readonly capture: PlanCapture; readonly broken: SealBreak; readonly since: string | null; readonly seal: string };

/** Tables of the plan whose capture is not as apply left it. Two queries, however many tables there are. */
export async function readUnsafe(session: Session, captures: readonly PlanCapture[]): Promise<readonly UnsafeTable[]> {
  const [found, recorded] = [await readSeals(session, captures), await readRecordedSeals(session)];
  return captures.flatMap((capture) => {
    const left = recorded.get(capture.delta);
    const broken = sealBreak(left, found.get(capture.delta) ?? '');
    return broken ? [{ capture, broken, since: left?.brokenAt ?? null, seal: left?.text ?? '' }] : [];
  });
}

/** What a run has said of a database's tables already, by delta table. */
export type Said = Map<string, string>;

/**
 * Looks for captured tables of which changes may have gone by, says so once, and leaves a mark that only the repairing apply takes
 * away. The streams go on, with that table too: what is captured of it is true, and to hold back its sync would let the other tables
 * grow old without making this one better.
 */
export async function watchSeals(options: { database: string; plan: PlanDatabase; session: Session; log: Log; said: Said }): Promise<void> {
  const { database, plan, session, log, said } = options;
  const unsafe = await readUnsafe(session, plan.captures);
  for (const { capture, broken, seal } of unsafe) {
    const reason = breakText(broken);
    if (said.get(capture.delta) === reason) continue;
    said.set(capture.delta, reason);
    // A table without its name keeps its triggers; should the name come back, nothing was missed.
    if (!broken.isGone) await session.query(MARK_BROKEN, [capture.delta, seal, brokenReason(broken)]);
    log({ kind: 'table-unsafe', code: 'SAR617', database, table: displayName(capture.table), reason });
  }
  for (const { delta, table } of plan.captures) {
    if (!said.has(delta) || unsafe.some(({ capture }) => capture.delta === delta)) continue;
    said.delete(delta);
    log({ kind: 'table-safe', database, table: displayName(table) });
  }
}
