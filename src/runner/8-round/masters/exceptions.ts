import { failureText } from '../../../conflict/handlers/judge.ts';
import type { FailureError } from '../../../conflict/handlers/failure.ts';
import type { Present } from './admit.ts';
import { MemberError, type TableError, tableErrorOf } from './member-error.ts';
import { rowsOfKeys } from './member-reads.ts';
import type { MastersRun } from './run-masters.ts';
import type { Ruling } from './settle-rulings.ts';
import type { Stop } from './stop.ts';
import { stopTable } from './stopping.ts';

/** So many answers for one row that did not help, and its table stops. */
const MOST_RULINGS = 6;

/** What handlers have said of rows that members did not take, until a round has gone through with it. */
export type Rulings = {
  of(table: number): readonly Ruling[];
  add(table: number, ruling: Ruling): void;
  /** How often the row was asked about before, and how often in a row the answer was to try again. */
  asked(table: number, key: readonly string[]): { rulings: number; tries: number };
  /** A round went through, with these tables left out. */
  wentThrough(waiting: ReadonlySet<number>): void;
};

export function makeRulings(): Rulings {
  const rulings = new Map<number, Map<string, Ruling>>();
  const asked = new Map<number, Map<string, { rulings: number; tries: number }>>();
  return {
    of: (table) => [...(rulings.get(table)?.values() ?? [])],
    add: (table, ruling) => void rulings.set(table, new Map([...(rulings.get(table) ?? []), [JSON.stringify(ruling.key), ruling]])),
    asked: (table, key) => {
      const ofTable = asked.get(table) ?? new Map<string, { rulings: number; tries: number }>();
      asked.set(table, ofTable);
      const counts = ofTable.get(JSON.stringify(key)) ?? { rulings: 0, tries: 0 };
      ofTable.set(JSON.stringify(key), counts);
      return counts;
    },
    wentThrough: (waiting) => {
      for (const known of [rulings, asked]) for (const table of [...known.keys()]) if (!waiting.has(table)) known.delete(table);
    },
  };
}

type Fault = { readonly stop: Stop; readonly error: unknown };

/** What the table's handler says, or the table stops. */
export async function ruleOrStop(run: MastersRun, present: readonly Present[], { tookMs, ...fault }: Fault & { readonly tookMs: number }): Promise<void> {
  const left = await askHandler(run, present, fault);
  if (left !== null) await stopTable(run, present, { stop: left, tookMs });
}

/**
 * Asks the table's handler about the row that a member did not take. Null where the round is to be made again, with what the handler
 * said; else why the table has to stop.
 */
async function askHandler(run: MastersRun, present: readonly Present[], { stop, error }: Fault): Promise<Stop | null> {
  const found = tableErrorOf(error);
  if (found?.key == null || !(error instanceof MemberError)) return stop;
  const key = keyOf(run, found);
  const counts = run.rulings.asked(found.table, key);
  if (counts.rulings >= MOST_RULINGS) return stop;
  const rows: { member: number; row: Awaited<ReturnType<typeof rowsOfKeys>>[number] }[] = [];
  for (const { slot, state } of present) for (const row of await rowsOfKeys(state, found.table, [key])) rows.push({ member: slot.index, row });
  const failure = errorOf(found.cause);
  const outcome = await run.handlers.except(found.table, { key, member: error.member, error: failure, tries: counts.tries, rows });
  if (outcome === null || outcome.kind === 'stop') return stop;
  if (outcome.kind === 'failure') return { ...stop, code: 'SAR624', message: `${failureText(outcome)}\nIt was asked because ${stop.message}` };
  counts.rulings += 1;
  counts.tries = outcome.kind === 'retry' ? counts.tries + 1 : 0;
  if (outcome.kind !== 'retry') run.rulings.add(found.table, { key, member: error.member, error: failure, decision: outcome });
  return null;
}

function keyOf({ sync }: MastersRun, { table, key }: TableError): readonly string[] {
  return (sync.tables[table]?.key ?? []).map((name) => key?.[name] ?? '');
}

type ServerFields = { readonly code?: unknown; readonly message?: unknown; readonly detail?: unknown; readonly constraint?: unknown; readonly cause?: unknown };

function errorOf(cause: unknown): FailureError {
  const { code, message, detail, constraint, cause: inner } = (cause ?? {}) as ServerFields;
  if (code === undefined && inner !== undefined) return errorOf(inner);
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
  return { code: text(code) ?? '', message: text(message) ?? '', detail: text(detail), constraint: text(constraint) };
}
