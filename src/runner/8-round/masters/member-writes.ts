import { formatPosition } from '../../../plan/position.ts';
import { originsOf } from '../../../plan/plan-masters.ts';
import { displayName } from '../../../sql/quote.ts';
import { isUniqueViolation } from '../apply-staged.ts';
import { readTokens } from '../changed-tables/changed-tables.sql.ts';
import { refuseChanged } from '../changed-tables/read-too-late.ts';
import { tokensOf } from '../counting.ts';
import type { TextRows } from '../reading-rows.ts';
import { markFilled, wakeReader } from '../target.sql.ts';
import { moveWatermark, parkRows, releaseSavepoint, rollbackToSavepoint, savepoint, tellOthers } from './masters.sql.ts';
import { moveHeld, replaceHeld } from './held.sql.ts';
import type { Member, SettledRow } from './member.ts';
import { blamed, blamedStage, type WriteAgain } from './blame.ts';
import { asSeen, knownOf, tableOf } from './member-reads.ts';
import { dropSettledRows, fillStage, fillStageWhole, isLarge } from './member-stage.ts';
import { isFaultOfRows, TableError } from './member-error.ts';
import { judge, TablesUnfit, unfitAt } from './member-shapes.ts';
import { copyRecords, recordStatements } from './record-conflicts.ts';
import {
  addDelivered,
  addSettled,
  dropSettledKeys,
  isHeard,
  isForStage,
  newSetAside,
  rowsJson,
  type SetAside,
  type WriteForm,
  writeRows,
  writesOf,
  writeStage,
} from './set-aside.ts';
import type { Result, Statement } from '../../postgres/statement.ts';
import type { MemberState } from './member-state.ts';
import type { Pending } from './member-state.ts';

/** More conflicts than these are written down by COPY, without waiting for the end of the round. */
const RECORDS = 500;

export function asideOf(state: MemberState, ordinal: number): SetAside & { readonly rowsFrom: Map<number, number> } {
  const { asides } = state.pending;
  const aside = asides.get(ordinal) ?? { ...newSetAside(tableOf(state, ordinal)), rowsFrom: new Map<number, number>() };
  asides.set(ordinal, aside);
  return aside;
}

export async function settleAside(state: MemberState, ordinal: number, rows: readonly SettledRow[]): Promise<void> {
  const aside = asideOf(state, ordinal);
  await unsettle(state, aside, rows);
  addSettled(aside, rows, knownOf(state, ordinal));
  if (rows.some(({ write }) => write === 'skip')) await state.session.query(writesOf(aside).takeOver, [rowsJson(aside)]);
  for (const { record } of rows) if (record !== null) state.pending.records.push({ table: ordinal, record });
  for (const { parked } of rows) if (parked !== null) state.pending.parked.push({ table: ordinal, row: parked });
  if (isForStage(aside)) await fillStage(state, aside).catch((error: unknown) => refuseTable(ordinal, error));
  const { records } = state.pending;
  if (records.length > RECORDS) await copyRecords(state, records.splice(0));
}

/** A row that was made for the table (a sum) may be none that its columns hold. */
function refuseTable(ordinal: number, error: unknown): never {
  throw isFaultOfRows(error) ? new TableError(ordinal, error) : error;
}

type Rows = { readonly rows: TextRows; readonly fresh: boolean; readonly from: number };

export function receiveRows(state: MemberState, ordinal: number, { rows, fresh, from }: Rows): void {
  const aside = asideOf(state, ordinal);
  addDelivered(aside, rows, { fresh, known: knownOf(state, ordinal) });
  aside.rowsFrom.set(from, (aside.rowsFrom.get(from) ?? 0) + rows.length);
}

/** What is set aside for the table, with a stage to take rows in. */
export async function stagedAt(state: MemberState, ordinal: number): Promise<ReturnType<typeof asideOf>> {
  const aside = asideOf(state, ordinal);
  if (!aside.isStaged) await state.session.query(writesOf(aside).createStage);
  aside.isStaged = true;
  return aside;
}

/** Whose rows they are, and what brings them by the given COPY. */
type Copy = { readonly from: number; readonly copy: (into: string) => Promise<number>; readonly fresh: boolean };

/** @returns Number of rows. */
export async function receiveCopy(state: MemberState, ordinal: number, { from, copy, fresh }: Copy): Promise<number> {
  const aside = await stagedAt(state, ordinal);
  const { loadStage } = writesOf(aside);
  const rows = await copy(loadStage);
  aside.hasFresh ||= fresh && rows > 0;
  aside.rowsFrom.set(from, (aside.rowsFrom.get(from) ?? 0) + rows);
  return rows;
}

/** What was settled before for these keys counts no more. */
async function unsettle({ session }: MemberState, aside: SetAside, rows: readonly SettledRow[]): Promise<void> {
  const last = rows.filter(({ isLast }) => isLast);
  if (last.length === 0 || !aside.hasSettled) return;
  const apart = newSetAside(aside.table);
  addSettled(apart, last, []);
  dropSettledKeys(aside, apart.rows);
  if (aside.isStaged) await session.query(writesOf(aside).unsettle, [rowsJson(apart)]);
}

/** Everything that was set aside, the records of conflicts, and the watermarks. */
export async function applyAside(state: MemberState, tables: readonly number[], moved: Moved): Promise<void> {
  const asides = tables.flatMap((ordinal) => {
    const aside = state.pending.asides.get(ordinal);
    return aside ? [{ ordinal, aside }] : [];
  });
  for (const { ordinal, aside } of asides) if (isLarge(aside)) await blaming(state, { ordinal, aside });
  const few = asides.filter(({ aside }) => !aside.isStaged && aside.rows.length > 0);
  const moves = movesOf(state, asides, moved);
  const ordinals = asides.map(({ ordinal }) => ordinal);
  const rest = [
    ...recordStatements(state, state.pending.records),
    ...parkStatements(state),
    ...asides.flatMap(({ aside }) => wakesOf(state, aside)),
    ...moves,
    asSeen(state, [...new Set([...ordinals, ...state.unchecked])]),
    readTokens(ordinals.map((ordinal) => tableOf(state, ordinal).target)),
  ];
  const answers = await writeFew(state, few, rest);
  refuseChanged(state.name, answers.at(-2));
  state.unchecked.clear();
  await judge(state, new Map(tokensOf(ordinals, answers.at(-1))));
  if (ordinals.some((ordinal) => unfitAt(state).has(ordinal))) throw new TablesUnfit();
  await state.failpoint('masters.after-rows');
  // Others rely on this transaction only where it tells them something.
  state.undurable ||= asides.some(({ aside }) => isHeard(aside));
}

type Asides = readonly { readonly ordinal: number; readonly aside: Pending['asides'] extends Map<number, infer Aside> ? Aside : never }[];

type Moved = Parameters<Member['apply']>[1];

function movesOf(state: MemberState, asides: Asides, { watermarks, held: all, moves }: Moved): readonly Statement[] {
  const { syncName, sync } = state;
  const origins = originsOf(sync);
  const source = (origin: number): string => origins[origin] ?? '';
  const rowsFrom = (origin: number): number => asides.reduce((sum, { aside }) => sum + (aside.rowsFrom.get(origin) ?? 0), 0);
  const relation = (table: number): string => displayName(tableOf(state, table).target);
  const held = moves.map(({ table, origin, position }) => ({
    source: source(origin),
    relation: relation(table),
    position: position === null ? null : formatPosition(position),
  }));
  // In a ring a table may stand apart by what another sync has noted: then this one's own note is another than what it comes to with that.
  const whole = [...all].flatMap(([table, marks]) =>
    [...marks].map(([origin, position]) => ({ source: source(origin), relation: relation(table), position: formatPosition(position) })),
  );
  return [
    ...[...watermarks].map(([origin, position]) =>
      moveWatermark({ sync: syncName, source: source(origin), position: formatPosition(position), rows: rowsFrom(origin) }),
    ),
    ...(sync.ring !== undefined ? replaceHeld(syncName, [...sync.tables.keys()].map(relation), whole) : held.length > 0 ? [moveHeld(syncName, held)] : []),
  ];
}

/** All tables in one batch with what comes after them; when unique values clash, all of them once more by deleting and inserting. Answers of the batch that went through. */
async function writeFew(state: MemberState, few: Asides, rest: readonly Statement[]): Promise<readonly Result[]> {
  const { session } = state;
  const writes = (form: WriteForm): readonly Statement[] =>
    few.flatMap(({ ordinal, aside }) => writeRows(aside, ordinal, { form, tellsOthers: tellsOthers(state, aside) }));
  if (few.length === 0) return session.batch(rest);
  try {
    return await session.batch([{ text: savepoint }, ...writes('merge'), { text: releaseSavepoint }, ...rest]);
  } catch (error) {
    if (!isUniqueViolation(error)) throw await blamed(state, { few, writes: rowsOf(state) }, error);
    await session.query(rollbackToSavepoint);
    try {
      return await session.batch([...writes('replace'), { text: releaseSavepoint }, ...rest]);
    } catch (again) {
      throw await blamed(state, { few, writes: rowsOf(state) }, again);
    }
  }
}

function rowsOf(state: MemberState): WriteAgain {
  return (ordinal, aside) => writeRows(aside, ordinal, { form: 'replace', tellsOthers: tellsOthers(state, aside) });
}

async function blaming(state: MemberState, { ordinal, aside }: { ordinal: number; aside: SetAside }): Promise<void> {
  try {
    await writeStaged(state, aside);
  } catch (cause) {
    throw await blamedStage(state, rowsOf(state), { ordinal, aside, cause });
  }
}

async function writeStaged(state: MemberState, aside: SetAside): Promise<void> {
  const { session } = state;
  await fillStageWhole(state, aside);
  if (aside.decided !== null) await writeDecided(state, aside);
  await dropSettledRows(state, aside);
  await session.batch([{ name: 'sarrio_tells', text: tellOthers, values: [tellsOthers(state, aside) ? 't' : 'f'] }]);
  await inEitherForm(state, async (form) => {
    if (form === 'merge') await session.query(savepoint);
    await writeStage(session, aside, { form, tellsOthers: tellsOthers(state, aside) });
  });
}

/** Records and entries before rows: they tell what stood here. What rules merge takes its place in the stage after the record, which shows what has arrived. */
async function writeDecided({ session }: MemberState, { table, decided }: SetAside): Promise<void> {
  const { decide } = table.masters;
  if (decide === null) throw new Error('decided without a statement');
  const { record, entries, merge, dropKept } = decide;
  const told = decided?.conflicts === 0 ? [] : [record, entries, merge];
  for (const text of [...told, dropKept]) if (text !== null) await session.query(text);
}

/** A clash of unique values may be one of the order of the rows only. */
async function inEitherForm({ session }: MemberState, write: (form: WriteForm) => Promise<void>): Promise<void> {
  try {
    await write('merge');
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    await session.query(rollbackToSavepoint);
    await write('replace');
  }
  await session.query(releaseSavepoint);
}

function tellsOthers({ name }: MemberState, { table }: SetAside): boolean {
  return (table.masters.readers[name] ?? []).length > 0;
}

/** As the triggers do it: the delta table is not empty any more, and who reads it should look. */
function wakesOf(state: MemberState, aside: SetAside): readonly Statement[] {
  const readers = aside.table.masters.readers[state.name] ?? [];
  if (!isHeard(aside) && readers.length === 0) return [];
  return [
    { text: markFilled, values: [aside.table.filled] },
    ...readers.map(({ sync, sequence }): Statement => ({ text: wakeReader, values: [sync, sequence] })),
  ];
}

function parkStatements(state: MemberState): readonly Statement[] {
  if (state.pending.parked.length === 0) return [];
  const rows = state.pending.parked.map(({ table, row: { key, row, code, error } }) => {
    const { target, columns, key: names } = tableOf(state, table);
    return {
      relation: displayName(target),
      key: Object.fromEntries(names.map((name, index) => [name, key[index]])),
      code,
      error,
      row: Object.fromEntries(columns.map(({ name }, index) => [name, row.values[index] ?? null])),
    };
  });
  return [{ name: 'sarrio_park', text: parkRows, values: [state.syncName, JSON.stringify(rows)] }];
}
