import type { Hazard } from '../../plan/hazards.ts';
import type { Plan } from '../../plan/plan.ts';
import { displayName } from '../../sql/quote.ts';
import type { LiveDatabase } from '../5-inspect/live-database.ts';
import { arrivals } from '../5-inspect/plan-tables.ts';
import { waitsForCopy } from '../5-inspect/waits-for-copy.ts';
import type { Copying, Estimate, Step } from './step.ts';

/** Measured on two cores: keys recorded by one statement, rows that an initial copy brings, and bytes of them. */
const KEYS_PER_MS = 300;
const COPIED_ROWS_PER_MS = 300;
const COPIED_BYTES_PER_MS = 50_000;
/** Writers who wait for longer than this should be asked before. */
const LONGEST_LOCK_MS = 3_000;

type Lives = ReadonlyMap<string, LiveDatabase>;

/** Puts rows and time to the steps that lock a user's table, and names those under whose lock writers would wait for long. */
export function withEstimates(plan: Plan, lives: Lives, steps: readonly Step[]): readonly Step[] {
  return steps.map((step) => {
    if (!step.lock) return step;
    const table = displayName(step.lock.table);
    const rows = lives.get(step.database)?.sizes.get(table)?.rows ?? null;
    if (!readsEveryRow(plan, step)) return { ...step, estimate: { ...step.estimate, rows } };
    const subject = lives.get(step.database)?.sizes.get(step.object.name)?.rows ?? rows;
    const estimate = { rows: subject, ms: (subject ?? 0) / KEYS_PER_MS };
    return { ...step, estimate, hazards: [...step.hazards, ...lockHazards(step, estimate)] };
  });
}

/** Tables that `run` copies before it follows, with what that takes. */
export function initialCopies(plan: Plan, lives: Lives): readonly Copying[] {
  return [...lives.values()].flatMap((here) =>
    arrivals(plan, here.database)
      .filter((arrival) => waitsForCopy(arrival, here, lives.get(arrival.source)))
      .map(({ sync, source, table, planned }): Copying => {
        const size = lives.get(source)?.sizes.get(displayName(table.source));
        const rows = size?.rows ?? null;
        const estimate = { rows, ms: Math.max((rows ?? 0) / COPIED_ROWS_PER_MS, (size?.bytes ?? 0) / COPIED_BYTES_PER_MS) };
        const { existingRows } = planned;
        const rule = { replaces: existingRows === 'replace', adopts: existingRows === 'adopt' };
        return { sync, source, target: here.database, table: displayName(table.target), estimate, ...rule };
      }),
  );
}

/** A refresh between masters, and the rows that a new partition brings, are recorded key by key under the table's lock. */
function readsEveryRow(plan: Plan, { kind, database, object, group }: Step): boolean {
  if (kind !== 'refresh') return false;
  if (object.name !== group) return true;
  const capture = plan.databases[database]?.captures.find(({ table }) => displayName(table) === group);
  return capture?.syncs.some((sync) => plan.syncs[sync]?.mode === 'multi-master') ?? false;
}

function lockHazards({ object, lock }: Step, { rows, ms }: Estimate): readonly Hazard[] {
  if (rows === null || ms <= LONGEST_LOCK_MS) return [];
  const evidence = `${lock?.mode ?? ''} while the keys of about ${rows} rows are recorded, for about ${Math.round(ms / 1000)} s`;
  return [{ code: 'lock-table', object: object.name, evidence, rows }];
}
