import { SarrioError } from '../../../plan/errors.ts';
import { formatPosition, intersection, parsePosition, type Position, sameHistory } from '../../../plan/position.ts';
import type { Log, StreamName } from '../../events.ts';
import { CopyError } from '../../postgres/copy.ts';
import { sqlState } from '../../postgres/connection-failure.ts';
import type { Session } from '../../postgres/session.ts';
import { textArray } from '../../postgres/text-array.ts';
import type { Reading } from '../reading.ts';
import type { StreamTable, TableState } from '../work.ts';
import { writeAlone } from '../write-alone.ts';
import { type HeldTable, noteGoing, noteStopped } from './changed-tables.sql.ts';
import { ReadTooLate } from './read-too-late.ts';
import { goneError, type TableStop } from './table-stop.ts';
import { RestingChanged, restingTables, type TableWatch, TargetChanged, TargetMoved } from './table-watch.ts';

/** Tables of a stream that sit its rounds out, by ordinal. */
export type Stops = ReadonlyMap<number, TableStop>;

/** Where a stream stands, as far as tables that are left out are concerned. */
type Standing = { readonly stored: string; readonly seen: Position; readonly isOfOldHistory: boolean; states: readonly TableState[]; stops: Stops };

type Parts = {
  readonly stream: StreamName;
  readonly target: Session;
  readonly tables: readonly StreamTable[];
  readonly watch: TableWatch;
  readonly log: Log;
};

/**
 * Before a round: finds the tables that it has to leave out. A table that followed the watermark stands from now on where the watermark
 * does; the transaction that moves the watermark on writes that down (`heldTables`).
 */
export async function stopTables(parts: Parts, place: Standing, reading: Reading): Promise<void> {
  const joining = place.states.flatMap((state, ordinal) => (state.kind === 'copied' ? [ordinal] : []));
  refuseGone(parts, reading);
  const stops = await parts.watch.stopsIn(reading, joining);
  await sayStops(parts, place.stops, stops);
  const position = place.isOfOldHistory ? place.seen : parsePosition(place.stored);
  place.states = place.states.map((state, ordinal) => (state.kind === 'joined' && stops.has(ordinal) ? { kind: 'copied', position } : state));
  place.stops = stops;
}

/** A migration that is half way may have taken the delta table of one that rests. Of any other, changes could go by. */
function refuseGone({ stream, tables, watch }: Parts, { gone }: Reading): void {
  const resting = new Set(restingTables(watch.resting()));
  const found = tables.find(({ ordinal, relation }) => gone.includes(ordinal) && !resting.has(relation));
  if (found !== undefined) throw goneError(stream.source, found.relation);
}

/** What a runner of the past said of the stream's tables, perhaps by names that they had then, need not be true any more. */
export async function forgetStops({ stream, target }: Pick<Parts, 'stream' | 'target'>): Promise<void> {
  await writeAlone(target, { text: noteGoing, values: [stream.sync, null] });
}

async function sayStops({ stream, target, tables, log }: Parts, before: Stops, after: Stops): Promise<void> {
  const nameOf = (ordinal: number): string => tables[ordinal]?.relation ?? '';
  for (const [ordinal, { code, message, hint }] of after) {
    if (before.get(ordinal)?.message === message) continue;
    await writeAlone(target, { text: noteStopped, values: [stream.sync, nameOf(ordinal), code, message, hint, null] });
    log({ kind: 'table-paused', stream, table: nameOf(ordinal), code, reason: message, hint });
  }
  const going = [...before.keys()].filter((ordinal) => !after.has(ordinal)).map(nameOf);
  if (going.length === 0) return;
  await writeAlone(target, { text: noteGoing, values: [stream.sync, textArray(going)] });
  for (const table of going) log({ kind: 'table-unpaused', stream, table });
}

/** For the transaction that moves the watermark: where each table stands that does not go with it. */
export function heldTables({ states, stops }: Pick<Standing, 'states' | 'stops'>, tables: readonly StreamTable[]): readonly HeldTable[] {
  return [...stops.keys()].flatMap((ordinal) => {
    const state = states[ordinal];
    return state?.kind === 'copied' ? [{ relation: tables[ordinal]?.relation ?? '', position: formatPosition(state.position) }] : [];
  });
}

/**
 * What the source may be told that the target has: what the watermark and every table that is left out cover. Null while a table waits for
 * its copy, or for the round that joins it.
 */
export function acknowledgeable({ stored, states, stops }: Pick<Standing, 'stored' | 'states' | 'stops'>): string | null {
  const watermark = parsePosition(stored);
  const positions: Position[] = [];
  for (const [ordinal, state] of states.entries()) {
    if (state.kind === 'joined') continue;
    if (state.kind === 'missing' || !stops.has(ordinal) || !sameHistory(state.position.history, watermark.history)) return null;
    positions.push(state.position);
  }
  return positions.length === 0 ? stored : formatPosition(intersection([watermark, ...positions]));
}

/** Errors of the rows' or the statements' own, not of the connection. */
const OF_STATEMENTS = /^(0A|22|23|42)/;

/**
 * Whether a round that failed should be made again at once, because a table was altered in the meantime: the next one leaves it out. An
 * error that nothing explains gets one more look in any case: the source may have been altered after the snapshot.
 */
export async function isWorthAnotherLook(
  error: unknown,
  parts: {
    readonly watch: TableWatch;
    readonly target: Session;
    readonly work: readonly StreamTable[];
    readonly isFirst: boolean;
    readonly readResting: () => Promise<string>;
  },
): Promise<boolean> {
  const { watch, target, work, isFirst } = parts;
  if (error instanceof TargetChanged || error instanceof ReadTooLate) return true;
  if (error instanceof TargetMoved) {
    watch.forgetTarget();
    return true;
  }
  if (error instanceof RestingChanged) {
    watch.rest(await parts.readResting());
    return true;
  }
  const state = sqlState(error instanceof CopyError ? error.cause : error);
  if (state === null || !OF_STATEMENTS.test(state) || !target.isOpen()) return false;
  return (await watch.explains(target, work)) || (isFirst && state.startsWith('42'));
}

/** A copy of a table that the plan does not fit would lack what is new in it. */
export async function refuseStopped(parts: Pick<Parts, 'stream' | 'tables' | 'watch'>, reading: Reading): Promise<void> {
  const ordinals = parts.tables.map(({ ordinal }) => ordinal);
  const stops = await parts.watch.stopsIn(reading, ordinals);
  const wrong = new Map([...stops].filter(([ordinal]) => ordinals.includes(ordinal)));
  if (wrong.size > 0) throw stoppedError({ stops: wrong }, parts);
}

/** For a run that should end by itself: what is left undone. */
export function stoppedError({ stops }: Pick<Standing, 'stops'>, { stream, tables }: Pick<Parts, 'stream' | 'tables'>): SarrioError {
  const diagnostics = [...stops].map(([ordinal, { code, message, hint }]) => ({
    code,
    severity: 'error' as const,
    where: `sync ${stream.sync}, ${stream.source} -> ${stream.target}, table ${tables.find((table) => table.ordinal === ordinal)?.relation ?? ''}`,
    message,
    hint,
    span: null,
  }));
  return new SarrioError({ exit: 'refused', diagnostics });
}
