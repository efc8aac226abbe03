import type { ChangeName, Knowledge } from '../../../conflict/change-names.ts';
import { type ChangeJson, changesFrom } from '../../../conflict/change.ts';
import type { ContestedKey, Version } from '../../../conflict/version.ts';
import { recordedFor } from '../../../plan/conflict-rule.ts';
import type { PlanMasterTable } from '../../../plan/plan.ts';
import type { Statement } from '../../postgres/session.ts';
import { chooseJoins } from '../choose-joins.ts';
import { rowsInMemory, type TextRows } from '../reading.ts';
import { setPosition } from '../source.sql.ts';
import { closeContested, fetchContested, openContested, setTargets } from './masters.sql.ts';
import type { Member, RowText, Span } from './member.ts';
import { receiveCopy, receiveRows } from './member-writes.ts';
import type { MemberState } from './session-member.ts';

/** Up to so many pending entries travel as text through the runner, more by COPY. */
const FEW_ENTRIES = 200;
/** Contested keys in memory at a time. */
const PAGE = 2_000;
/** Reported keys above this number are analyzed before they are compared. */
const ANALYZE_ABOVE = 20_000;

/** The plan's statements for a table. */
export function tableOf({ sync }: MemberState, ordinal: number): PlanMasterTable {
  const table = sync.tables[ordinal];
  if (table === undefined) throw new Error(`the plan has no table ${ordinal}`);
  return table;
}

/** Brings the reports of all members that hold changes of a table together here, and gives the keys that several of them name. */
export async function* meet(state: MemberState, ordinal: number, others: readonly Member[]): AsyncGenerator<readonly ContestedKey[]> {
  const peers = others.map(({ index }) => peerOf(state, index));
  const reported = [state, ...peers].reduce((sum, each) => sum + entriesOf(each, ordinal), 0);
  if (reported > FEW_ENTRIES) {
    yield* meetInTable(state, ordinal, { peers, reported });
    return;
  }
  const { report, contestedRows } = tableOf(state, ordinal).masters.meet;
  const reports = await Promise.all(
    peers.map((peer) => peer.session.batch([...fromOf(peer, ordinal), { name: `sarrio_masters_report_${ordinal}`, text: report }])),
  );
  const lines = JSON.stringify(reports.flatMap((answers) => answers.at(-1)?.lists ?? []));
  const answers = await state.session.batch([...fromOf(state, ordinal), { name: `sarrio_masters_contested_${ordinal}`, text: contestedRows, values: [lines] }]);
  const keys = contestedKeys(answers.at(-1)?.lists ?? [], tableOf(state, ordinal));
  if (keys.length > 0) yield keys;
}

type Meeting = { readonly peers: readonly MemberState[]; readonly reported: number };

async function* meetInTable(state: MemberState, ordinal: number, { peers, reported }: Meeting): AsyncGenerator<readonly ContestedKey[]> {
  const { session } = state;
  const { meet: statements } = tableOf(state, ordinal).masters;
  await session.query(statements.create);
  for (const peer of peers) await bringReport(peer, state, ordinal);
  await chooseJoinsFor(state, ordinal);
  await session.batch([...fromOf(state, ordinal), { text: statements.insertOwn }]);
  if (reported > ANALYZE_ABOVE) await session.query(statements.analyze);
  await session.query(openContested(statements.contested));
  yield* pages(state, tableOf(state, ordinal));
  await session.query(closeContested);
}

/** The rows of one key stay together: what is not complete waits for the next page. */
async function* pages({ session }: MemberState, table: PlanMasterTable): AsyncGenerator<readonly ContestedKey[]> {
  let rest: TextRows = [];
  for (;;) {
    const [answer] = await session.batch([{ text: fetchContested(PAGE) }]);
    const lists = answer?.lists ?? [];
    const rows = [...rest, ...lists];
    const last = rows.at(-1)?.[0];
    const isEnd = lists.length < PAGE;
    const complete = isEnd ? rows : rows.filter(([number]) => number !== last);
    rest = rows.slice(complete.length);
    const keys = contestedKeys(complete, table);
    if (keys.length > 0) yield keys;
    if (isEnd) return;
  }
}

async function bringReport(from: MemberState, to: MemberState, ordinal: number): Promise<void> {
  const { report, copyReport, insert, load } = tableOf(from, ordinal).masters.meet;
  if (entriesOf(from, ordinal) > FEW_ENTRIES) {
    await chooseJoinsFor(from, ordinal);
    await from.session.batch(fromOf(from, ordinal));
    await from.copyTo(to, { from: copyReport, into: load });
    return;
  }
  const answers = await from.session.batch([...fromOf(from, ordinal), { text: report }]);
  await to.session.query(insert, [JSON.stringify(answers.at(-1)?.lists ?? [])]);
}

/** What all others have seen: nothing older is read. */
export function fromOf(state: MemberState, ordinal: number): readonly Statement[] {
  const span = spanOf(state, ordinal);
  return [setPosition(span.from), ...(state.tables.size > 0 ? [setTargets(span)] : [])];
}

/** A table that has not moved with the watermarks is read from where it stands. */
function spanOf({ from, seenBy, knownBy, tables }: MemberState, ordinal: number): Span {
  if (from === null) throw new Error('no round has begun');
  return tables.get(ordinal) ?? { from, seenBy, knownBy };
}

/** What this member itself has seen of a table's changes. */
export function knownOf(state: MemberState, ordinal: number): readonly Knowledge[] {
  return spanOf(state, ordinal).knownBy.get(state.index) ?? [];
}

/** How many changes are joined with the table's rows. */
async function chooseJoinsFor(state: MemberState, ordinal: number): Promise<void> {
  const entries = entriesOf(state, ordinal);
  if (entries > FEW_ENTRIES) await chooseJoins(state.session, { table: tableOf(state, ordinal).source, entries });
}

function entriesOf({ entries }: MemberState, ordinal: number): number {
  return entries.get(ordinal) ?? 0;
}

const OPERATIONS: Readonly<Record<string, Version['op']>> = { I: 'insert', U: 'update', D: 'delete' };

function contestedKeys(rows: TextRows, { rule }: PlanMasterTable): readonly ContestedKey[] {
  const counters = recordedFor(rule)?.counters ?? [];
  const keys = new Map<string, { key: readonly string[]; versions: Version[] }>();
  for (const [number = '', member, pendingAt, at, op, image, key, names, changes] of rows) {
    const found = keys.get(number ?? '') ?? { key: JSON.parse(key ?? '[]') as readonly string[], versions: [] };
    keys.set(number ?? '', found);
    const made = changes === undefined ? {} : { changes: changesFrom(JSON.parse(changes ?? '[]') as readonly (readonly ChangeJson[])[], counters) };
    found.versions.push({
      member: Number(member),
      pendingAt: Number(pendingAt),
      at: BigInt(at ?? '0'),
      op: OPERATIONS[op ?? ''] ?? 'update',
      image: image ?? '',
      names: JSON.parse(names ?? 'null') as readonly ChangeName[] | null,
      ...made,
    });
  }
  return [...keys.values()];
}

/** In the order of the keys. */
export async function rowsOfKeys(state: MemberState, ordinal: number, keys: readonly (readonly string[])[]): Promise<readonly RowText[]> {
  const statement = { name: `sarrio_masters_keys_${ordinal}`, text: tableOf(state, ordinal).masters.rowsOfKeys, values: [JSON.stringify(keys)] };
  const [answer] = await state.session.batch([statement]);
  const rows = answer?.lists ?? [];
  if (rows.length !== keys.length) throw new Error(`asked ${state.name} for ${keys.length} rows and got ${rows.length}`);
  return rows.map(([isPresent, ...values]) => ({ isPresent: isPresent === 't', values }));
}

/** Few rows are read once, with whom each is for; a large number goes to each of the others by a COPY of its own. */
export async function deliver(state: MemberState, ordinal: number, { to, fresh }: { to: readonly Member[]; fresh: boolean }): Promise<number> {
  const { masters, columns } = tableOf(state, ordinal);
  // After whether the row is there, its columns, the time and the names.
  const bits = columns.length + 3;
  const peers = to.map(({ index }) => peerOf(state, index));
  if (entriesOf(state, ordinal) <= FEW_ENTRIES) {
    const answers = await state.session.batch([...fromOf(state, ordinal), { name: `sarrio_masters_rows_${ordinal}`, text: masters.rows }]);
    const rows = rowsInMemory(answers.at(-1));
    if (rows !== null) {
      for (const peer of peers) receiveRows(peer, ordinal, { rows: rows.filter((row) => isFor(peer, row[bits])), fresh, from: state.index });
      return rows.length;
    }
  }
  await chooseJoinsFor(state, ordinal);
  const { seenBy, knownBy } = spanOf(state, ordinal);
  let most = 0;
  for (const peer of peers) {
    const seen = seenBy.get(peer.index);
    if (seen === undefined) throw new Error(`${peer.name} was not there when the round began`);
    await state.session.batch([setPosition(seen), setTargets({ seenBy: new Map([[peer.index, seen]]), knownBy })]);
    most = Math.max(most, await receiveCopy(peer, ordinal, { sender: state, text: masters.copyChanged, fresh }));
  }
  await state.session.batch([setTargets(state)]);
  return most;
}

function isFor({ index }: MemberState, bits: string | null | undefined): boolean {
  return (Number(bits) & (1 << index)) !== 0;
}

function peerOf({ peers }: MemberState, index: number): MemberState {
  const peer = peers.get(index);
  if (peer === undefined) throw new Error(`member ${index} is not connected`);
  return peer;
}
