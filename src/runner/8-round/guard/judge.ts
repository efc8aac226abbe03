import type { PlanGuard } from '../../../plan/plan-guard.ts';
import { covers, type Position, sameHistory } from '../../../plan/position.ts';
import { copyBetween } from '../../postgres/copy.ts';
import type { Session } from '../../postgres/session.ts';
import type { Reading } from '../reading.ts';
import { setPosition } from '../source.sql.ts';
import { beginApply, rollbackApply } from '../target.sql.ts';
import type { TableWork } from '../work.ts';
import type { Finding } from './finding.ts';

/** A round that is not begun yet. */
export type Judged = {
  readonly guard: PlanGuard;
  readonly reading: Reading;
  readonly target: Session;
  readonly work: readonly TableWork[];
  /** What has been approved, the newest first. */
  readonly approved: readonly Approved[];
};

/** Changes of the tables of the findings that this position covers. Of other tables nobody was asked, and some may not have been looked at: they sat the rounds out. */
type Approved = { readonly position: Position; readonly findings: readonly Finding[] };

/**
 * What of a round has to wait, by table. Only changes beyond what was approved of the table count, and of those only rows that the target has:
 * a row that came and went between two rounds is nobody's loss.
 *
 * The bounds come first, so that a round of few deletes in a large table costs one statement: with d deletes at most, a table of
 * d / share rows or more needs no closer look.
 */
export async function judge(judged: Judged): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const work of judged.work) {
    const finding = await judgeTable(judged, work);
    if (finding !== null) findings.push(finding);
  }
  return findings;
}

async function judgeTable(judged: Judged, work: TableWork): Promise<Finding | null> {
  const { guard, reading, target, approved } = judged;
  if (work.read.guard === undefined || work.apply.guard === undefined || work.entries === 0) return null;
  const named = approved.find(({ findings }) => findings.some(({ table }) => table === work.relation));
  const from = laterOf(work.joinFrom ?? reading.from, named?.position ?? null);
  const pending = (await reading.pendingFrom(from)).find(({ ordinal }) => ordinal === work.ordinal);
  if (pending === undefined) return null;
  if (pending.truncated) return guard.truncate && (await holdsRows(target, work)) ? { kind: 'truncate', table: work.relation } : null;
  if (guard.deletes === null || pending.allInserts || pending.entries < guard.minRows) return null;
  if ((await countRows(judged, work, pending.entries)) * guard.deletes >= pending.entries) return null;
  return judgeDeletes(judged, work, from);
}

async function judgeDeletes(judged: Judged, work: TableWork, from: Position): Promise<Finding | null> {
  const { guard, reading } = judged;
  const share = guard.deletes ?? 1;
  const bulk = await reading.openBulk();
  try {
    const [, counted] = await bulk.batch([setPosition(from), { text: work.read.guard?.gone ?? '' }]);
    const gone = Number(counted?.lists[0]?.[0]);
    if (gone < guard.minRows || (await countRows(judged, work, gone)) * share >= gone) return null;
    const deletes = await countStaged(judged, work, bulk);
    const rows = await countRows(judged, work, deletes);
    return deletes < guard.minRows || rows * share >= deletes ? null : { kind: 'deletes', table: work.relation, deletes, rows };
  } finally {
    if (bulk.isOpen()) await reading.giveBackBulk(bulk);
  }
}

/** So many as are needed to see that the deletes are no large share of them; all of them where they are. */
async function countRows({ guard, target }: Judged, { apply }: TableWork, deletes: number): Promise<number> {
  const enough = Math.ceil(deletes / (guard.deletes ?? 1));
  const [counted] = await target.batch([{ text: apply.guard?.rows ?? '', values: [String(enough)] }]);
  return Number(counted?.lists[0]?.[0]);
}

async function holdsRows(target: Session, { apply }: TableWork): Promise<boolean> {
  return (await target.query(apply.hasRows)).rows[0]?.['has_rows'] === 't';
}

/** The rows that would be deleted: staged as a round does it, and rolled back. */
async function countStaged({ target }: Judged, { read, apply }: TableWork, bulk: Session): Promise<number> {
  try {
    await target.query(beginApply);
    await target.query(apply.createStage);
    await copyBetween({ session: bulk, text: read.copyChanged }, { session: target, text: apply.loadStage });
    return Number((await target.query(apply.guard?.staged ?? '')).rows[0]?.['gone']);
  } finally {
    if (target.isOpen()) await target.query(rollbackApply);
  }
}

/** Of two positions of one history one covers the other. One of another history says nothing here. */
function laterOf(from: Position, approved: Position | null): Position {
  return approved !== null && sameHistory(approved.history, from.history) && covers(approved, from) ? approved : from;
}
