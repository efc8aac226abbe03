import type { PlanDatabase } from '../../../plan/plan.ts';
import { displayName } from '../../../sql/quote.ts';
import type { Clock } from '../../clock.ts';
import type { Log } from '../../events.ts';
import type { Session } from '../../postgres/session.ts';
import { type Counting, lookAt } from './look.ts';
import { forgetSequences, noteSequences } from './sequences.sql.ts';

const EVERY_MS = 15_000;
/** Percent of a sequence's values that are given, from which on the runner and `status` warn. */
export const ALARM_AT = 90;

/** What one process remembers of a database between its looks. */
export type SequenceWatch = { nextAt: number; noted: string; readonly alarmed: Set<string> };

export function newSequenceWatch(): SequenceWatch {
  return { nextAt: Number.NEGATIVE_INFINITY, noted: '', alarmed: new Set() };
}

type Watching = {
  readonly database: string;
  readonly plan: PlanDatabase;
  readonly session: Session;
  readonly log: Log;
  readonly clock: Clock;
  readonly watch: SequenceWatch;
};

/** Says once when a sequence comes near its end, and writes down where all of them are. One that cannot be read is reported by whoever carries it. */
export async function watchSequences({ database, plan, session, log, clock, watch }: Watching): Promise<void> {
  const { watched = [] } = plan;
  if (watched.length === 0 || clock.now() < watch.nextAt) return;
  watch.nextAt = clock.now() + EVERY_MS;
  const looked = await lookAt(
    session,
    watched.map(({ look }) => look),
  );
  const states = watched.flatMap(({ sequence }, index) => {
    const counting = looked[index];
    return counting === undefined || typeof counting === 'string' ? [] : [{ sequence: displayName(sequence), ...stateOf(counting) }];
  });
  for (const { sequence, percent, is_alarm: isAlarm, last_value: last, ends_at: end } of states) {
    if (isAlarm && !watch.alarmed.has(sequence)) log({ kind: 'sequence-alarm', code: 'SAR640', database, sequence, percent, last, end });
    if (!isAlarm && watch.alarmed.has(sequence)) log({ kind: 'sequence-safe', database, sequence, percent });
    if (isAlarm) watch.alarmed.add(sequence);
    else watch.alarmed.delete(sequence);
  }
  const notes = JSON.stringify(states);
  if (notes === watch.noted) return;
  if (watch.noted === '') await session.query(forgetSequences, [notes]);
  await session.query(noteSequences, [notes]);
  watch.noted = notes;
}

/** As a row of `sarrio.sequence`. */
type State = { readonly last_value: string; readonly ends_at: string; readonly percent: number; readonly is_alarm: boolean };

function stateOf(counting: Counting): State {
  const { last, increment, least, most, cycles } = counting;
  const percent = percentUsed(counting);
  return { last_value: String(last), ends_at: String(increment > 0n ? most : least), percent, is_alarm: !cycles && percent >= ALARM_AT };
}

/** How much of its range a sequence has given, rounded down; never above 100. */
export function percentUsed({ given, increment, least, most, isCalled }: Counting): number {
  if (!isCalled) return 0;
  const all = most - least + 1n;
  const used = increment > 0n ? given - least + 1n : most - given + 1n;
  if (all <= 0n || used <= 0n) return 0;
  return Number(used >= all ? 100n : (used * 100n) / all);
}
