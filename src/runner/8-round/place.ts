import type { Position } from '../../plan/position.ts';
import type { Acknowledger } from './acknowledge.ts';
import { acknowledgeable, type Stops } from './changed-tables/hold-tables.ts';
import { restingTables, type TableWatch } from './changed-tables/table-watch.ts';
import { copyTables } from './copy-tables.ts';
import { beatDuring } from './heartbeat.ts';
import { readStreamStart, type StreamStart, tableStates } from './stream-target.ts';
import type { StreamTable, TableState, TableWork } from './work.ts';
import type { Following } from './following.ts';

/** Where the stream is. `stored` is what the watermark row says, `seen` is where the next look starts: nothing was pending between, and the source cannot lose it. */
export type Place = {
  stored: string;
  seen: Position;
  /** The stored watermark is of the history before the source's present one: the next round moves it, even when nothing is pending. */
  isOfOldHistory: boolean;
  registry: string;
  states: readonly TableState[];
  /** Tables that the rounds leave out. */
  stops: Stops;
  /** The last look failed in a way that a table which was altered meanwhile may explain. */
  isSecondLook: boolean;
  /** Tables with changes at a look that read one of them too late: the next look locks them first. */
  locks: readonly number[];
  copying: Promise<void> | null;
  hasCopied: boolean;
  copyError: unknown;
};

/** A new stream is copied before its first round, so that the first state it follows on from is whole; a table added later is copied aside. */
export async function startPlace(following: Following, tables: readonly StreamTable[], { start, watch }: Omit<Copied, 'place'>): Promise<Place> {
  const { stream, source } = following;
  if (start.stored !== null && start.position !== null) {
    const { registry } = start.registration;
    const isOfOldHistory = start.historyChange !== null;
    const place: Place = { ...NO_COPY, stored: start.stored, seen: start.position, isOfOldHistory, registry, states: start.states };
    copyAside(following, tables, { start, place, watch });
    return place;
  }
  const missing = missingOf(tables, start.states);
  following.enter('copying', `${missing.length} tables`);
  await beatDuring(following.target, following.clock, () => copyTables(following, { tables: missing, start, watch, from: null }));
  const again = await readStreamStart({ stream, source, target: following.target, tables, deltas: following.deltas });
  if (again.stored === null || again.position === null) throw new Error('the initial copy left no watermark');
  const { registry } = again.registration;
  return { ...NO_COPY, stored: again.stored, seen: again.position, isOfOldHistory: false, registry, states: again.states };
}

const NO_COPY = { copying: null, hasCopied: false, copyError: null, stops: new Map(), isSecondLook: false, locks: [] } as const;

function missingOf(tables: readonly StreamTable[], states: readonly TableState[]): readonly StreamTable[] {
  return tables.filter(({ ordinal }) => states[ordinal]?.kind === 'missing');
}

/** What a migration lets rest is copied, if at all, once that is through. */
export function copyWhatIsMissing(following: Following, tables: readonly StreamTable[], copied: Copied): void {
  if (copied.place.copying === null && !copied.place.hasCopied) copyAside(following, tables, copied);
}

type Copied = { readonly start: StreamStart; readonly place: Place; readonly watch: TableWatch };

/** Rounds of the other tables go on; acknowledging waits, so that nothing is purged which the copied tables need. */
function copyAside(following: Following, tables: readonly StreamTable[], { start, place, watch }: Copied): void {
  const { aside, wake } = following;
  const resting = new Set(restingTables(watch.resting()));
  const missing = missingOf(tables, place.states).filter(({ relation }) => !resting.has(relation));
  if (missing.length === 0) return;
  aside.running ??= copyTables(following, { tables: missing, start, watch, from: place.seen }).finally(() => {
    aside.running = null;
  });
  const settle = (copied: Partial<Place>): void => {
    Object.assign(place, copied, { copying: null });
    wake.kick();
  };
  place.copying = aside.running.then(
    () => {
      aside.failed = 0;
      settle({ hasCopied: true });
    },
    (error: unknown) => {
      aside.failed += 1;
      settle({ copyError: error });
    },
  );
}

/** From where a copied table follows on, only the target can say: another runner may have copied it, from an earlier snapshot than ours. */
export async function takeCopied(following: Following, tables: readonly StreamTable[], { start, place, watch }: Copied): Promise<void> {
  const { stream, source, target, deltas } = following;
  place.states = await tableStates({ stream, source, target, tables, deltas }, start.captures);
  place.hasCopied = false;
  copyAside(following, tables, { start, place, watch });
}

export function joined(states: readonly TableState[], work: readonly TableWork[]): readonly TableState[] {
  const joins = new Set(work.filter(({ joinFrom }) => joinFrom !== null).map(({ ordinal }) => ordinal));
  return states.map((state, ordinal) => (joins.has(ordinal) ? { kind: 'joined' } : state));
}

/** Every table follows the watermark. */
export function isWhole(place: Place): boolean {
  return place.copying === null && !place.hasCopied && place.states.every(({ kind }) => kind === 'joined');
}

export async function acknowledge(place: Place, acknowledger: Acknowledger): Promise<void> {
  const position = place.copying === null && !place.hasCopied ? acknowledgeable(place) : null;
  if (position !== null) await acknowledger.tick(position);
}
