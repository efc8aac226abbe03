import type { TestDatabase } from '../support/database.ts';
import { TABLES } from '../support/workload.ts';

/** Where a round, a purge or an acknowledgement can be cut. With the other lists these must be all failpoints of the runner: a test compares. */
export const ROUND_POINTS = [
  'round.source.before-snapshot',
  'round.source.after-snapshot',
  'round.source.before-flush',
  'round.source.after-flush',
  'round.target.before-begin',
  'round.target.after-fence',
  'round.target.before-clear',
  'round.target.after-clear',
  'round.target.before-few',
  'round.target.after-few',
  'round.target.before-load',
  'round.target.after-load',
  'round.target.before-stage',
  'round.target.before-copy',
  'round.target.before-merge',
  'round.target.after-update',
  'round.target.after-delete',
  'round.target.after-insert',
  'round.target.before-replace',
  'round.target.in-replace',
  'round.target.after-replace',
  'round.target.before-relay',
  'round.target.after-relay',
  'round.target.before-watermark',
  'round.target.after-rows',
  'round.target.before-commit',
  'round.target.commit-sent',
  'round.target.after-commit',
  'acknowledge.before-write',
  'acknowledge.after-write',
  'acknowledge.after-note',
  'purge.before-switch',
  'purge.after-switch',
  'purge.before-lock',
  'purge.before-truncate',
  'purge.before-commit',
  'purge.after-commit',
] as const;

/** Passed only while a stream begins: its copies, and the round that joins them. */
export const COPY_POINTS = [
  'copy.before-watermark',
  'copy.before-claim',
  'copy.before-load',
  'copy.before-finish',
  'copy.before-commit',
  'copy.commit-sent',
  'round.target.before-join',
] as const;

/** Where a copy in ranges can be cut; cut in the test of ranges. */
export const RANGE_POINTS = [
  'copy.before-ranges',
  'copy.before-range',
  'copy.before-range-commit',
  'copy.range-sent',
  'copy.after-range',
  'copy.before-whole',
] as const;

/** Passed only where a master is copied in ranges; cut in the test of that. */
export const SEED_POINTS = ['copy.before-own-writes'] as const;

/** Where indexes that were set aside are built again; cut in the test of that. */
export const INDEX_POINTS = ['copy.before-index', 'copy.after-index'] as const;

/** Where the adoption of rows can be cut, beside the points of a copy; cut in the test of adoption. */
export const ADOPTION_POINTS = ['copy.after-sums', 'copy.before-differences'] as const;

/** Where changes that wait for approval are recorded; cut in the test of guards. */
export const GUARD_POINTS = ['guard.before-hold', 'guard.after-hold'] as const;

/** Where a round between masters can be cut. */
export const MASTER_POINTS = [
  'masters.before-look',
  'masters.before-hold',
  'masters.before-exchange',
  'masters.before-apply',
  'masters.after-rows',
  'masters.before-durable',
  'masters.before-flush',
  'masters.before-commit',
  'masters.commit-sent',
  'masters.after-commit',
] as const;

/** Where a round between masters reads on second connections; cut in the test of that. */
export const AT_ONCE_POINTS = ['masters.before-both'] as const;

/** Where a full copy can be cut; all but the swap's own in every method. */
export const FULL_COPY_POINTS = [
  'full-copy.before-lock',
  'full-copy.before-load',
  'full-copy.after-load',
  'full-copy.before-swap',
  'full-copy.before-commit',
  'full-copy.commit-sent',
] as const;

/** What the workload does not do by itself, so that a runner comes by the point. */
export async function lureTo(point: string, source: TestDatabase): Promise<void> {
  if (point.endsWith('-switch')) return fillSegment(source);
  if (point.startsWith('purge.')) return leaveSegments(source);
}

/** The next segments are written from now on, as after a switch, so that there is something to purge. */
async function leaveSegments(source: TestDatabase): Promise<void> {
  for (const table of TABLES) {
    const current = `sarrio.current_${table.replace('.', '_')}`;
    await source.query(`select setval('${current}', coalesce(pg_sequence_last_value('${current}'), 1) % 3 + 1)`);
  }
}

/** More changes than one segment should hold. They are rolled back: they take their room, and nobody has to bring them anywhere. */
async function fillSegment(source: TestDatabase): Promise<void> {
  await source.script(`begin; update items set v = v where id = 1;
    insert into sarrio.delta_public_items
      select d.* from sarrio.delta_public_items as d, generate_series(1, 250000) where d.change_xid = pg_current_xact_id();
    rollback`);
}
