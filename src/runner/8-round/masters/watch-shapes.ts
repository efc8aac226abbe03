import { displayName } from '../../../sql/quote.ts';
import { readReferences } from '../changed-tables/changed-tables.sql.ts';
import { dependsOnStop, restStop, shapeStop, type TableStop } from '../changed-tables/table-stop.ts';
import { MemberError, stateOf } from './member-error.ts';
import { judge, TablesUnfit, unfitAt } from './member-shapes.ts';
import { sayStop } from './stopping.ts';
import type { MastersRun, Present } from './masters-run.ts';
import type { ShapeWatch } from './masters-run.ts';

/** How often members are asked whether tables that wait for it have been mended. */
const EVERY_MS = 1_000;

/** Errors of the rows' or the statements' own, not of the connection. */
const OF_STATEMENTS = /^(0A|22|23|42)/;

type Pairs = readonly (readonly [number, number])[];

export function makeShapeWatch(): ShapeWatch {
  return { askedAt: Number.NEGATIVE_INFINITY, references: null };
}

/** Before a round: tables that are not what the plan was compiled for at one of those who are up sit it out; those that fit everywhere again do not. */
export async function holdUnfit(run: MastersRun, present: readonly Present[]): Promise<void> {
  const { clock } = run.options;
  const waiting = present.filter(({ state }) => unfitAt(state).size > 0);
  if (waiting.length === 0 && present.every(({ state }) => state.resting.size === 0) && !run.stopped.isHolding()) return;
  if (clock.now() - run.watch.askedAt >= EVERY_MS) {
    run.watch.askedAt = clock.now();
    for (const each of waiting) await at(each, () => judge(each.state, new Map([...unfitAt(each.state).keys()].map((ordinal) => [ordinal, null]))));
  }
  const stops = await withDependents(run, present, ownStops(run, present));
  const news = run.stopped.hold([...stops].map(([table, stop]) => ({ ...stop, table, key: null })));
  for (const stop of news) await sayStop(run, present, stop);
}

/** Whether a round failed because a table is not what the plan was compiled for: the next one leaves it out. */
export async function isOfUnfitTables(run: MastersRun, present: readonly Present[], error: unknown): Promise<boolean> {
  if (error instanceof TablesUnfit) return true;
  if (!(error instanceof MemberError) || !OF_STATEMENTS.test(stateOf(error) ?? '')) return false;
  const found = present.find(({ slot }) => slot.index === error.member);
  if (found === undefined || !found.live.session.isOpen()) return false;
  const taking = run.sync.tables.map((_, ordinal) => ordinal).filter((ordinal) => !run.stopped.has(ordinal));
  await judge(found.state, new Map(taking.map((ordinal) => [ordinal, null])));
  return taking.some((ordinal) => unfitAt(found.state).has(ordinal));
}

function ownStops(run: MastersRun, present: readonly Present[]): Map<number, TableStop> {
  const unfit = present.map(({ slot, state }) => ({ database: slot.name, tables: unfitAt(state) }));
  const ordinals = [...new Set(unfit.flatMap(({ tables }) => [...tables.keys()]))].sort((a, b) => a - b);
  const resting = [...new Set(present.flatMap(({ state }) => [...state.resting]))];
  return new Map([
    ...ordinals.map((ordinal): readonly [number, TableStop] => {
      const sides = unfit.map(({ database, tables }) => ({ database, table: relationOf(run, ordinal), faults: tables.get(ordinal) ?? [] }));
      return [ordinal, shapeStop(sides.filter(({ faults }) => faults.length > 0))];
    }),
    ...resting.map((ordinal) => [ordinal, restStop()] as const),
  ]);
}

/** A table with a foreign key, at any member, to one that is left out would show rows whose parents are missing. */
async function withDependents(run: MastersRun, present: readonly Present[], stops: Map<number, TableStop>): Promise<ReadonlyMap<number, TableStop>> {
  if (stops.size === 0) return stops;
  const of = [...stops.keys(), '|', ...present.map(({ slot }) => slot.index)].join(' ');
  if (run.watch.references?.of !== of) run.watch.references = { of, pairs: await referencesOf(run, present) };
  for (let size = -1; size !== stops.size; ) {
    size = stops.size;
    for (const [child, parent] of run.watch.references.pairs) {
      if (stops.has(parent) && !stops.has(child)) stops.set(child, dependsOnStop(relationOf(run, parent)));
    }
  }
  return stops;
}

async function referencesOf({ sync }: MastersRun, present: readonly Present[]): Promise<Pairs> {
  const asked = readReferences(sync.tables.map(({ target }) => target));
  const pairs: (readonly [number, number])[] = [];
  for (const each of present) {
    const [answer] = await at(each, () => each.state.session.batch([asked]));
    for (const [child, parent] of answer?.lists ?? []) pairs.push([Number(child), Number(parent)]);
  }
  return pairs;
}

function relationOf({ sync }: MastersRun, ordinal: number): string {
  const table = sync.tables[ordinal];
  return table === undefined ? String(ordinal) : displayName(table.target);
}

async function at<T>({ slot }: Present, task: () => Promise<T>): Promise<T> {
  return task().catch((error: unknown) => {
    throw new MemberError(slot.index, slot.name, error);
  });
}
