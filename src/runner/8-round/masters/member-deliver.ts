import { refuseChanged } from '../changed-tables/read-too-late.ts';
import type { PlanMasterTable } from '../../../plan/plan.ts';
import { rowsInMemory, type TextRows } from '../reading-rows.ts';
import { joinsFor } from '../joins.sql.ts';
import { setSpan } from './masters.sql.ts';
import { type Delivered, FEW_ENTRIES, type Member } from './member.ts';
import { asSeen, entriesOf, fromHere, peerOf, spanOf, tableOf } from './member-reads.ts';
import { receiveCopy, receiveRows } from './member-writes.ts';
import type { MemberState } from './member-state.ts';

/** Few rows are read once, with whom each is for; a large number goes to each of the others by a COPY of its own. */
export async function deliver(state: MemberState, ordinal: number, { to, fresh }: { to: readonly Member[]; fresh: boolean }): Promise<Delivered> {
  const table = tableOf(state, ordinal);
  const { masters, columns } = table;
  // After whether the row is there, its columns, the time and the names.
  const bits = columns.length + 3;
  const peers = to.map(({ index }) => peerOf(state, index));
  if (entriesOf(state, ordinal) <= FEW_ENTRIES) {
    const reading = [...fromHere(state, ordinal), { name: `sarrio_masters_rows_${ordinal}`, text: masters.rows }];
    const checking = willApply(state) ? [] : [asSeen(state, [ordinal])];
    if (checking.length === 0) state.unchecked.add(ordinal);
    const answers = await state.session.batch([...reading, ...checking]);
    if (checking.length > 0) refuseChanged(state.name, answers.at(-1));
    const rows = rowsInMemory(answers[reading.length - 1]);
    if (rows !== null) {
      for (const peer of peers) receiveRows(peer, ordinal, { rows: rows.filter((row) => isFor(peer, row[bits])), fresh, from: state.index });
      return { rows: rows.length, keys: tellsKeys(state, ordinal) ? rows.map(keyText(table)) : null };
    }
  }
  return { rows: await deliverMany(state, ordinal, { to: peers, fresh }), keys: null };
}

/** The plan says it of key types of which two values are the same exactly where every server writes them alike. */
export function tellsKeys(state: MemberState, ordinal: number): boolean {
  return tableOf(state, ordinal).masters.meet.byText === true;
}

/** After whether it is there, a row has its columns. */
function keyText({ key, columns }: PlanMasterTable): (row: TextRows[number]) => string {
  const places = key.map((name) => 1 + columns.findIndex(({ from }) => 'column' in from && from.column === name));
  return (row) => places.map((place) => row[place]).join(' ');
}

/** Somebody else has something for this member, so that it will be asked at the end of its writing whether what it read is as its snapshot has it. */
function willApply({ index, peers }: MemberState): boolean {
  return [...peers.values()].some((peer) => peer.index !== index && peer.entries.size > 0);
}

/** By a COPY to each of the others. */
export async function deliverMany(state: MemberState, ordinal: number, { to, fresh }: { to: readonly MemberState[]; fresh: boolean }): Promise<number> {
  const { masters } = tableOf(state, ordinal);
  const entries = entriesOf(state, ordinal);
  if (entries > FEW_ENTRIES) await state.session.batch([joinsFor(tableOf(state, ordinal).source, entries)]);
  const { seenBy, knownBy } = spanOf(state, ordinal);
  const isSettled = (state.pending.asides.get(ordinal)?.stagedSettled ?? 0) > 0;
  if (isSettled) await state.session.query(masters.write.indexSettled);
  const text = isSettled ? masters.copyUnsettled : masters.copyChanged;
  let most = 0;
  for (const peer of to) {
    const seen = seenBy.get(peer.index);
    if (seen === undefined) throw new Error(`${peer.name} was not there when the round began`);
    state.hasReadElsewhere = true;
    const before = [setSpan({ from: seen, seenBy: new Map([[peer.index, seen]]), knownBy })];
    const copy = (into: string): Promise<number> => state.copyTo(peer, { before, from: text, into });
    most = Math.max(most, await receiveCopy(peer, ordinal, { from: state.index, copy, fresh }));
  }
  const [altered] = await state.session.batch([asSeen(state, [ordinal])]);
  refuseChanged(state.name, altered);
  return most;
}

function isFor({ index }: MemberState, bits: string | null | undefined): boolean {
  return (Number(bits) & (1 << index)) !== 0;
}
