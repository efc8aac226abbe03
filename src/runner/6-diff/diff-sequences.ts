import type { Diagnostic } from '../../plan/diagnostic.ts';
import type { PlanSequence } from '../../plan/plan-sequence.ts';
import { displayName, quoteIdent } from '../../sql/quote.ts';
import type { LiveDatabase } from '../5-inspect/live-database.ts';
import { largest, type LiveSequence } from '../5-inspect/read-sequences.ts';
import { nextValue } from './sequences.sql.ts';
import { makeStep, type Step } from './step.ts';

/** Starts lie on multiples of it, so that a change plan stays the same while values are drawn. Less for a sequence that ends early. */
const GRAIN = 65_536n;
/** A sequence with fewer values left is warned of. */
const FEW = 1_000n;

type Found = Extract<LiveSequence, { kind: 'found' }>;
type Placed = { readonly database: string; readonly found: Found };
type Lives = ReadonlyMap<string, LiveDatabase>;

/** Sequences that have to be brought into their slot, and what forbids it. */
export type SequenceChanges = { readonly steps: readonly Step[]; readonly faults: readonly Diagnostic[] };

/**
 * A sequence gives its own slot's values, above everything that any member's sequence has given or any member's column holds: whatever
 * the others gave before they counted in steps lies below. Each step checks under the sequence's lock that this still holds there.
 */
export function diffSequences(lives: Lives): SequenceChanges {
  const all = [...lives.values()].flatMap(({ database, sequences }) => sequences.map((live) => ({ database, live })));
  const faults = all.flatMap(({ database, live }) => faultsOf(database, live));
  if (faults.some(({ severity }) => severity === 'error')) return { steps: [], faults };
  const placed = all.flatMap(({ database, live }): readonly Placed[] => (live.kind === 'found' ? [{ database, found: live }] : []));
  const due = placed.flatMap((each) => {
    const reason = reasonFor(each.found);
    return reason === null ? [] : [{ ...each, reason, start: startOf(each, placed) }];
  });
  const ends = due.filter(({ found, start }) => start.next > found.most).map(({ database, found }) => exhausted(database, found));
  return { steps: ends.length > 0 ? [] : due.map(stepOf), faults: [...faults, ...ends] };
}

/** What stays when everything of ours goes: values must not meet as long as the rows do. */
export function leftInterleaved(live: LiveDatabase): readonly Diagnostic[] {
  return live.sequences.flatMap((each): readonly Diagnostic[] => {
    if (each.kind === 'unreadable' || each.increment !== BigInt(each.planned.slots)) return [];
    const name = displayName(each.planned.sequence);
    return [
      {
        code: 'SAR318',
        severity: 'warning',
        message: `sequence ${name} goes on in steps of ${each.planned.slots}`,
        hint: `Once no other database writes the same rows: ALTER SEQUENCE ${name} INCREMENT BY 1;`,
        span: null,
        where: `database ${live.database}`,
      },
    ];
  });
}

function reasonFor({ planned, increment, next, taken }: Found): string | null {
  const { slots, slot } = planned;
  if (increment !== BigInt(slots)) return `counts in steps of ${increment}`;
  if (mod(next - BigInt(slot), BigInt(slots)) !== 0n) return `drift: its next value ${next} is not one of slot ${slot}; somebody has set it`;
  return taken === null ? null : `drift: it would give ${taken} again, which stands in a row; somebody has set it back`;
}

function stepOf({ database, found, reason, start }: Placed & { readonly reason: string; readonly start: Start }): Step {
  const { planned } = found;
  const name = displayName(planned.sequence);
  const statement = `ALTER SEQUENCE ${name} INCREMENT BY ${planned.slots} START WITH ${start.next} RESTART`;
  return makeStep({
    database,
    kind: 'replace',
    object: { kind: 'sequence', name },
    group: `sequence ${name}`,
    reason: `${reason}; ${statement} (slot ${planned.slot} of ${planned.slots}; lock: SHARE ROW EXCLUSIVE on the sequence, for which transactions that have drawn from it are waited for)`,
    sql: `${nextValue(start).text}\n${planned.align}`,
  });
}

type Start = { readonly floor: bigint; readonly next: bigint };

function startOf({ found }: Placed, all: readonly Placed[]): Start {
  const together = all.filter((each) => groupOf(each.found.planned) === groupOf(found.planned));
  const values = together.flatMap((each) => [each.found.highest ?? 0n, each.found.next - each.found.increment]);
  const highest = largest([found.least, ...values]);
  const grain = grainOf(together.map((each) => each.found.most));
  const floor = (highest / grain + 2n) * grain;
  const { slot, slots } = found.planned;
  return { floor, next: floor + mod(BigInt(slot) - floor, BigInt(slots)) };
}

function grainOf(most: readonly bigint[]): bigint {
  const least = -largest([-GRAIN * 128n, ...most.map((each) => -each)]);
  return 2n ** BigInt(Math.floor(Math.log2(Number(least / 128n || 1n))));
}

/** Members' sequences belong together when the same column counts by them. */
function groupOf({ sync, columns }: PlanSequence): string {
  const [first] = columns;
  return JSON.stringify([sync, first?.table, first?.column]);
}

function faultsOf(database: string, live: LiveSequence): readonly Diagnostic[] {
  const { planned } = live;
  const fault = (code: string, message: string, hint: string, severity: Diagnostic['severity'] = 'error'): Diagnostic => ({
    ...{ code, severity, message, hint, span: null },
    where: `database ${database}, sequence ${displayName(planned.sequence)}`,
  });
  if (live.kind === 'unreadable')
    return [fault('SAR319', `it cannot be read: ${live.error}`, 'If the table was changed: run `sarrio pull` and `sarrio compile`.')];
  const { cycles, increment, most, next } = live;
  const column = planned.columns.map((each) => `${displayName(each.table)}.${quoteIdent(each.column)}`).join(', ');
  const name = displayName(planned.sequence);
  return [
    ...(cycles ? [fault('SAR315', 'it begins again at its end, in the slot of another member', `Run: ALTER SEQUENCE ${name} NO CYCLE;`)] : []),
    ...(increment < 0n
      ? [fault('SAR316', 'it counts downwards, which is not interleaved', `Let ${column} count upwards, or leave it to yourself: sequences: 'ignore'.`)]
      : []),
    ...(increment === BigInt(planned.slots) && (most - next) / increment < FEW
      ? [fault('SAR317', `it has fewer than ${FEW} values left`, `Give ${column} and the sequence a larger type.`, 'warning')]
      : []),
  ];
}

function exhausted(database: string, { planned, most }: Found): Diagnostic {
  return {
    code: 'SAR317',
    severity: 'error',
    message: `there is no room above the members' values: it ends at ${most}`,
    hint: 'Give the column and the sequence a larger type at every member, then run `sarrio pull`.',
    span: null,
    where: `database ${database}, sequence ${displayName(planned.sequence)}`,
  };
}

/** Never negative. */
function mod(value: bigint, by: bigint): bigint {
  return ((value % by) + by) % by;
}
