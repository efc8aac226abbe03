import type { PlanCarried, PlanCarry } from '../../../plan/plan-sequence.ts';
import { displayName } from '../../../sql/quote.ts';
import type { Clock } from '../../clock.ts';
import type { Log, StreamName } from '../../events.ts';
import type { Session } from '../../postgres/session.ts';
import { type Carrying, carryTo } from './carry-to.ts';
import { type Asked, type Counting, lookAt, tried } from './look.ts';
import { writeAlone } from '../write-alone.ts';
import { forgetCarried, noteCarried } from './sequences.sql.ts';

/** How often a stream looks at its sequences when nothing goes on, and how often while rounds do: most rounds cost nothing more. */
const IDLE_MS = 5_000;
const BUSY_MS = 1_000;

/** Keeps the sequences of a stream's target ahead of the source's. */
export type Carrier = {
  /** To be called between rounds, at least every few seconds. */
  tick(): Promise<void>;
  /**
   * To be called before a round with so many entries, once its snapshot is taken. A row that draws one value of each sequence never
   * arrives before the target's sequences are beyond it: after a look they are ahead by half of the margin at least.
   */
  beforeRound(entries: number): Promise<void>;
  /** Looks now: for a runner that ends. */
  carry(): Promise<void>;
};

export type CarrierParts = {
  readonly stream: StreamName;
  /** As the plan has it. */
  readonly sequences: PlanCarry | undefined;
  readonly source: Asked;
  readonly target: Session;
  readonly clock: Clock;
  readonly log: Log;
};

/** Null where there is nothing to carry: then rounds do nothing for it, not even wait a turn. */
export function makeCarrier(parts: CarrierParts): Carrier | null {
  const { stream, sequences, clock } = parts;
  if (sequences === undefined || sequences === 'ignore') return null;
  const carried = sequences.carried.filter(({ target }) => target === stream.target);
  const state = { lookedAt: Number.NEGATIVE_INFINITY, entries: 0, noted: '', errors: new Map<string, string>() };
  const carry = async (): Promise<void> => {
    state.lookedAt = clock.now();
    state.entries = 0;
    const results = await carryAll({ ...parts, margin: BigInt(sequences.margin) }, carried);
    const notes = JSON.stringify(results.map(({ note }) => note));
    tell(parts, results, state.errors);
    if (notes === state.noted) return;
    const names = [stream.sync, stream.source, notes];
    if (state.noted === '') await writeAlone(parts.target, { text: forgetCarried, values: names });
    await writeAlone(parts.target, { text: noteCarried, values: names });
    state.noted = notes;
  };
  const isDue = (everyMs: number): boolean => clock.now() - state.lookedAt >= everyMs;
  return {
    carry,
    tick: async () => (isDue(IDLE_MS) ? carry() : undefined),
    beforeRound: async (entries) => {
      state.entries += entries;
      if (state.entries * 2 >= sequences.margin || isDue(BUSY_MS)) await carry();
    },
  };
}

/** As a row of `sarrio.carried`; bigint values as text, which JSON cannot hold otherwise. */
type Note = { origin: string; sequence: string; source_value: string | null; value: string | null; error: string | null };
export type Carried = { readonly planned: PlanCarried; readonly note: Note; readonly isSet: boolean };

type Ways = Pick<CarrierParts, 'source' | 'target'> & { readonly margin: bigint };

/** Reads both sides, and sets what is not far enough ahead. */
export async function carryAll({ source, target, margin }: Ways, carried: readonly PlanCarried[]): Promise<readonly Carried[]> {
  // The target first: what the source gives between the two is carried then, too.
  const there = await lookAt(
    target,
    carried.map(({ lookTo }) => lookTo),
  );
  const here = await lookAt(
    source,
    carried.map(({ lookFrom }) => lookFrom),
  );
  const results: Carried[] = [];
  for (const [index, planned] of carried.entries()) results.push(await carryOne({ target, margin }, planned, { from: here[index], to: there[index] }));
  return results;
}

type Pair = { readonly from: Counting | string | undefined; readonly to: Counting | string | undefined };

async function carryOne({ target, margin }: Omit<Ways, 'source'>, planned: PlanCarried, { from = 'gone', to = 'gone' }: Pair): Promise<Carried> {
  const outcome = await outcomeOf({ target, margin }, planned, { from, to });
  const note: Note = {
    origin: displayName(planned.from),
    sequence: displayName(planned.to),
    source_value: typeof from === 'string' ? null : String(from.given),
    value: outcome.kind === 'set' ? String(outcome.value) : typeof to === 'string' ? null : String(to.given),
    error: outcome.kind === 'cannot' ? outcome.reason : null,
  };
  return { planned, note, isSet: outcome.kind === 'set' };
}

async function outcomeOf({ target, margin }: Omit<Ways, 'source'>, planned: PlanCarried, { from, to }: Required<Pair>): Promise<Carrying> {
  if (typeof from === 'string' || from === undefined) return { kind: 'cannot', reason: `the source's sequence cannot be read: ${from}` };
  if (typeof to === 'string' || to === undefined) return { kind: 'cannot', reason: `it cannot be read: ${to}` };
  const carrying = carryTo(from, to, margin);
  if (carrying.kind !== 'set') return carrying;
  const failed = await tried(target, () => writeAlone(target, { text: planned.carry, values: [String(carrying.value), carrying.isCalled ? 't' : 'f'] }));
  return typeof failed === 'string' ? { kind: 'cannot', reason: failed } : carrying;
}

/** An error is said once, until it is another one or gone. */
function tell({ log, stream }: CarrierParts, results: readonly Carried[], errors: Map<string, string>): void {
  const set = results.filter(({ isSet }) => isSet).length;
  if (set > 0) log({ kind: 'carried', stream, sequences: set });
  for (const { note } of results) {
    const name = `${note.origin} -> ${note.sequence}`;
    if (note.error === null) errors.delete(name);
    if (note.error === null || errors.get(name) === note.error) continue;
    errors.set(name, note.error);
    log({ kind: 'carry-failed', code: 'SAR641', stream, sequence: note.sequence, error: note.error });
  }
}
