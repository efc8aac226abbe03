import { failure } from '../../plan/errors.ts';
import type { StreamName } from '../events.ts';
import type { Failpoint } from '../failpoint.ts';
import type { Position } from '../../plan/position.ts';
import { sqlState } from '../postgres/connection-failure.ts';
import { copyBetween } from '../postgres/copy.ts';
import type { Session } from '../postgres/session.ts';
import { writeStage } from '../8-round/apply-staged.ts';
import { type StageEnds, stageRows } from '../8-round/comparing/stage-rows.ts';
import type { Reading } from '../8-round/reading.ts';
import { setPosition } from '../8-round/source.sql.ts';
import type { Source } from '../8-round/source.ts';
import { lockWatermark } from '../8-round/target.sql.ts';
import type { StreamTable } from '../8-round/work.ts';
import { readOrigin, readTargetPlace } from './place.ts';
import { beginHold, beginRepair, commitCompare, rollback } from './verify.sql.ts';

/** One compared table whose differences stand in the target's session. */
export type Repair = {
  readonly stream: StreamName;
  readonly table: StreamTable;
  readonly delta: string;
  readonly source: Source;
  /** A session of the source for bookkeeping. */
  readonly origin: Session;
  /** The session that compared the table, with `session_replication_role = replica`. */
  readonly target: Session;
  readonly failpoint: Failpoint;
};

export type Repaired =
  | { readonly kind: 'repaired'; readonly written: number; readonly leftToRound: number }
  | { readonly kind: 'left'; readonly reason: string };

/**
 * Writes the source's current rows over the differences, in one transaction of the target that holds the stream's fence: no round runs
 * meanwhile, the watermark stays, and nothing that is pending from it can be purged. Only keys without a pending change are
 * written: their rows in the source's fresh snapshot are also their rows at the watermark, so that the target shows the source's
 * state at its watermark, and nothing newer, when this commits. The others are left to the round that follows.
 */
export async function repairTable(repair: Repair): Promise<Repaired> {
  const { stream, table, target, failpoint, delta, origin } = repair;
  await failpoint('repair.before-begin');
  const before = await readOrigin(origin, stream, delta);
  try {
    await target.query(beginRepair);
    await target.batch([lockWatermark(stream.sync, stream.source)]);
    const place = await readTargetPlace(target, { stream, relation: table.relation, origin: before });
    const repaired: Repaired = place.kind === 'nowhere' ? { kind: 'left', reason: place.reason } : await repairAt(repair, place.position);
    await failpoint('repair.before-commit');
    const ended = await target.query(repaired.kind === 'left' ? rollback : commitCompare);
    if (repaired.kind === 'repaired' && ended.command !== 'COMMIT') throw new Error('the server answered COMMIT with ROLLBACK');
    return repaired;
  } catch (error) {
    if (target.isOpen()) await target.query(rollback).catch(() => target.destroy());
    throw sqlState(error) === '55P03' ? fenceBusy(stream, error) : error;
  }
}

/** The table is held before the snapshot, so that no TRUNCATE, which snapshots do not hide, can come between. */
async function repairAt({ source, table, target, origin, failpoint }: Repair, position: Position): Promise<Repaired> {
  await origin.query(beginHold);
  await origin.query(table.verify.lockSource);
  const reading = await source.open(position);
  try {
    const pending = reading.pending.find(({ ordinal }) => ordinal === table.ordinal);
    if (pending?.truncated) return { kind: 'left', reason: 'a TRUNCATE of it is on its way to the target, which refreshes all its rows' };
    const { leftToRound, staged } = await stageDifferences(reading, { table, target }, position);
    await reading.durable();
    if (staged > 0) await writeStage({ target, work: table, failpoint }, staged);
    return { kind: 'repaired', written: staged, leftToRound };
  } finally {
    await reading.release();
    await origin.query(rollback);
  }
}

/** The connection that read the rows is given back before they are written, which may take long. */
async function stageDifferences(reading: Reading, to: Omit<StageEnds, 'bulk'>, position: Position): Promise<{ leftToRound: number; staged: number }> {
  const bulk = await reading.openBulk();
  try {
    const leftToRound = await setPendingAside({ ...to, bulk, position });
    return { leftToRound, staged: await stageRows({ ...to, bulk }) };
  } finally {
    await giveBack(reading, bulk);
  }
}

async function setPendingAside({ bulk, table, target, position }: StageEnds & { readonly position: Position }): Promise<number> {
  await bulk.batch([setPosition(position)]);
  await copyBetween({ session: bulk, text: table.verify.copyPending }, { session: target, text: table.verify.loadStage });
  return (await target.query(table.verify.setPendingAside)).count;
}

async function giveBack(reading: Reading, bulk: Session): Promise<void> {
  if (bulk.isOpen()) await reading.giveBackBulk(bulk);
}

function fenceBusy(stream: StreamName, cause: unknown): Error {
  return failure('busy', {
    code: 'SAR705',
    where: `database ${stream.target}`,
    message: `a round of sync ${stream.sync} from ${stream.source} did not end in time, so nothing was repaired`,
    hint: 'Run the same command again.',
    cause,
  });
}
