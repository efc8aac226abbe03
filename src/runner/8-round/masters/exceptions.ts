import type { FailureError } from '../../../conflict/handlers/failure.ts';
import { failureText } from '../../../conflict/handlers/judge.ts';
import { callOf, type JudgedChange } from '../../../conflict/handlers/judge-changes.ts';
import type { ExceptionDecision, HandlerException, HeldRow, KeyedRow } from '../../../conflict/handlers/judge-failure.ts';
import { displayName } from '../../../sql/quote.ts';
import { isFaultOfRows, MemberError, type RowAtFault, serverFields, tableErrorOf } from './member-error.ts';
import { heldApart } from './member-exceptions.ts';
import type { Stop } from './stop.ts';
import { stopTable } from './stopping.ts';
import type { MastersRun, Present } from './masters-run.ts';
import type { RuledChange, Ruling, ShownRow } from './ruling.ts';

/** So many answers for one row that did not help, and its table stops. */
const MOST_RULINGS = 6;

type Fault = { readonly stop: Stop; readonly error: unknown };

/** What the table's handler says, or the table stops. What another table's handler has changed is no fault of this one. */
export async function ruleOrStop(run: MastersRun, present: readonly Present[], { tookMs, ...fault }: Fault & { readonly tookMs: number }): Promise<void> {
  const left = ruledStop(run, fault) ?? (await askHandler(run, present, fault));
  if (left === null) return;
  run.rulings.forget(left.table);
  await stopTable(run, present, { stop: left, tookMs });
}

/** The row was changed, or made, by the handler of another row, whose table has to wait for it. */
function ruledStop(run: MastersRun, { stop, error }: Fault): Stop | null {
  const found = tableErrorOf(error);
  const ruling = found?.row == null ? null : run.rulings.changing(found.table, keyOf(run, found.table, found.row));
  if (ruling === null) return null;
  const message = `what its handler has changed in ${tableName(run, stop.table)} is not taken: ${stop.message}`;
  return { ...stop, table: ruling.table, code: 'SAR624', message, key: namedKey(run, ruling.table, ruling.key) };
}

type Asking = { readonly table: number; readonly key: readonly string[]; readonly row: RowAtFault; readonly member: number; readonly error: FailureError };

/**
 * Asks the table's handler about the row that a member did not take. Null where the round is to be made again, with what the handler
 * said; else why the table has to stop.
 */
async function askHandler(run: MastersRun, present: readonly Present[], { stop, error }: Fault): Promise<Stop | null> {
  const found = tableErrorOf(error);
  if (found?.row == null || !(error instanceof MemberError) || run.sync.tables[found.table]?.exception == null) return stop;
  const { table, row } = found;
  const asking: Asking = { table, row, key: keyOf(run, table, row), member: error.member, error: errorOf(found.cause) };
  const counts = run.rulings.asked(table, asking.key);
  if (counts.rulings >= MOST_RULINGS) return stop;
  const exception = await exceptionOf(present, asking, counts.tries);
  const outcome = await run.handlers.except(table, exception);
  if (outcome === null || outcome.kind === 'stop') return stop;
  if (outcome.kind === 'failure') return failed(stop, failureText(outcome));
  counts.rulings += 1;
  counts.tries = outcome.kind === 'retry' ? counts.tries + 1 : 0;
  const ruled = await ruledOf(run, present, { asking, exception, outcome });
  if (typeof ruled === 'string') return failed(stop, nonsenseText(run, asking, ruled));
  if (ruled !== null) run.rulings.add(ruled);
  return null;
}

function failed(stop: Stop, message: string): Stop {
  return { ...stop, code: 'SAR624', message: `${message}\nIt was asked because ${stop.message}` };
}

function nonsenseText(run: MastersRun, { table, key, error }: Asking, message: string): string {
  const named = namedKey(run, table, key);
  return failureText({ kind: 'failure', reason: 'nonsense', table: tableName(run, table), key: named, conflict: `error ${error.code}`, message, stack: [] });
}

/** With what everybody who is up holds of the rows. */
async function exceptionOf(present: readonly Present[], { table, key, row, member, error }: Asking, tries: number): Promise<HandlerException> {
  const keys = [key, ...row.inTheWay.map((each) => each.key)];
  const held: (readonly HeldRow[])[] = keys.map(() => []);
  for (const { slot, state } of present)
    for (const [place, each] of (await heldApart(state, table, keys)).entries()) held[place] = [...(held[place] ?? []), { member: slot.index, ...each }];
  const inTheWay = row.inTheWay.map((each: KeyedRow, place) => ({ ...each, rows: held[place + 1] ?? [] }));
  return { key, member, error, tries, arriving: row.row, inTheWay, rows: held[0] ?? [] };
}

type Ruled = { readonly asking: Asking; readonly exception: HandlerException; readonly outcome: Exclude<ExceptionDecision, { kind: 'stop' }> };

/** Null where the same is to be tried again; a text says what is wrong with the changes. */
async function ruledOf(run: MastersRun, present: readonly Present[], { asking, exception, outcome }: Ruled): Promise<Ruling | string | null> {
  const { table, key, member, error } = asking;
  const shown = [{ key, rows: exception.rows }, ...exception.inTheWay].map((each): ShownRow => ({ table, key: each.key, rows: each.rows }));
  if (outcome.kind !== 'retry') return { table, key, member, error, shown, decision: outcome };
  if (outcome.changes.length === 0) return null;
  const changes: RuledChange[] = [];
  for (const change of outcome.changes) {
    const found = await changeOf(run, present, { change, own: table });
    if (typeof found === 'string') return found;
    changes.push(found.change);
    shown.push(found.shown);
  }
  return { table, key, member, error, shown, decision: { kind: 'change', changes } };
}

/** A row that is changed has to be there at some member, one that is inserted at none. */
async function changeOf(
  run: MastersRun,
  present: readonly Present[],
  { change: judged, own }: { change: JudgedChange; own: number },
): Promise<{ change: RuledChange; shown: ShownRow } | string> {
  const table = run.sync.tables.findIndex(({ source }) => displayName(source) === judged.table);
  const call = `${callOf(judged)} of ${judged.table}`;
  if (table !== own && run.stopped.waiting().has(table)) return `${call}: that table is stopped itself`;
  const rows: { member: number; row: HeldRow['row'] }[] = [];
  try {
    for (const { slot, state } of present) for (const { row } of await heldApart(state, table, [judged.key])) rows.push({ member: slot.index, row });
  } catch (error) {
    if (isFaultOfRows(error)) return `${call}: ${(error as Error).message}`;
    throw error;
  }
  const held = rows.find(({ row }) => row.isPresent);
  const named = Object.entries(namedKey(run, table, judged.key)).map(([name, value]) => `${name} = ${value}`);
  if (judged.change === 'insert' && held) return `${call}: there is a row with the key ${named.join(', ')}`;
  if (judged.change !== 'insert' && !held) return `${call}: there is no row with the key ${named.join(', ')}`;
  // As the server writes it.
  const key = held === undefined ? judged.key : keyIn(run, table, held.row.values);
  return { change: { ...judged, table, key }, shown: { table, key, rows } };
}

function keyIn({ sync }: MastersRun, table: number, values: readonly (string | null)[]): readonly string[] {
  const { key = [], columns = [] } = sync.tables[table] ?? {};
  return key.map((name) => values[columns.findIndex(({ from }) => 'column' in from && from.column === name)] ?? '');
}

function keyOf({ sync }: MastersRun, table: number, { key }: RowAtFault): readonly string[] {
  return (sync.tables[table]?.key ?? []).map((name) => key[name] ?? '');
}

function namedKey({ sync }: MastersRun, table: number, key: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries((sync.tables[table]?.key ?? []).map((name, place) => [name, key[place] ?? '']));
}

function tableName({ sync }: MastersRun, ordinal: number): string {
  const table = sync.tables[ordinal];
  return table === undefined ? String(ordinal) : displayName(table.source);
}

function errorOf(cause: unknown): FailureError {
  const { code, message, detail, constraint, schema, table } = serverFields(cause);
  const named = schema !== null && table !== null ? displayName({ schema, name: table }) : null;
  return { code: code ?? '', message: message ?? '', detail, constraint, table: named };
}
