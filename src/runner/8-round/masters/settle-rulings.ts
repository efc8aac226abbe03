import type { Change } from '../../../conflict/change.ts';
import { callOf } from '../../../conflict/handlers/judge-changes.ts';
import { recordedFor } from '../../../plan/conflict-rule.ts';
import { allOf } from './all-of.ts';
import type { Member, RecordedVersion, RowText, SettledRow } from './member.ts';
import { TableStopped } from './stop.ts';
import type { BegunRound, MasterRound, Contested } from './begun-round.ts';
import type { Ruling, RuledChange } from './ruling.ts';

/**
 * The rulings that this round carries out. A ruling was made of rows read between two rounds: it counts only where the snapshots of this one
 * hold the same, at the same members, and where all tables that it changes take part. All of it, or nothing.
 */
export async function confirmRulings(round: Pick<MasterRound, 'members' | 'stopped' | 'rulings'>): Promise<readonly Ruling[]> {
  const confirmed: Ruling[] = [];
  for (const ruling of round.rulings.all()) {
    if (round.stopped.has(ruling.table)) continue;
    if (await isAsShown(round, ruling)) confirmed.push(ruling);
    else round.rulings.drop(ruling);
  }
  return confirmed;
}

/** In which something is to be written. */
export function tablesRuled(rulings: readonly Ruling[]): readonly number[] {
  return rulings.flatMap(({ table, decision }) => (decision.kind === 'change' ? decision.changes.map((change) => change.table) : [table]));
}

async function isAsShown({ members, stopped }: Pick<MasterRound, 'members' | 'stopped'>, { shown }: Ruling): Promise<boolean> {
  for (const { table, key, rows } of shown) {
    if (stopped.has(table) || rows.length !== members.length) return false;
    const held = await allOf(members.map((member) => member.rows(table, [key])));
    const isSame = members.every(({ index }, place) => {
      const before = rows.find(({ member }) => member === index)?.row;
      const now = held[place]?.[0];
      return before !== undefined && now !== undefined && sameRow(before, now);
    });
    if (!isSame) return false;
  }
  return true;
}

function sameRow(one: RowText, other: RowText): boolean {
  return one.isPresent === other.isPresent && (!one.isPresent || one.values.every((value, place) => value === other.values[place]));
}

/**
 * Sets aside, at every present member, what was ruled for single rows of the table: a decision as any other, which counts whatever was settled
 * or delivered for the same key. One after the other, so that each finds what the ones before it have made of a row.
 */
export async function settleRulings(round: BegunRound, table: number): Promise<Contested> {
  let settled = 0;
  for (const ruling of round.ruled) {
    for (const make of makersOf(round, table, ruling)) {
      const row = await make();
      if (row === null) continue;
      await allOf(round.members.map((member) => member.settle(table, replacing(round, table, { rows: [row], member: member.index }))));
      settled += 1;
    }
  }
  return { conflicts: settled, settled, fresh: settled };
}

type Maker = () => Promise<SettledRow | null>;

function makersOf(round: BegunRound, table: number, ruling: Ruling): readonly Maker[] {
  const { decision } = ruling;
  if (decision.kind === 'change') return decision.changes.filter((change) => change.table === table).map((change) => () => changedRow(round, ruling, change));
  return ruling.table === table ? [() => ruledRow(round, ruling, decision)] : [];
}

type Replacing = { readonly rows: readonly SettledRow[]; readonly member: number };

/**
 * For rules that merge: the row was put in the place of what stood there, as if inserted anew. What it was chosen without is not added to
 * it later, and what it was made of is not added to another row, which may have it: where somebody was away, the rows are judged as wholes.
 */
function replacing(round: BegunRound, table: number, { rows, member }: Replacing): readonly SettledRow[] {
  const rule = round.rules[table];
  const xid = round.xids.get(member);
  if (rule === undefined || recordedFor(rule) === null || xid === undefined) return rows;
  const replaced: Change = { member, xid, columns: null, amounts: {} };
  return rows.map((row) => ({ ...row, carried: [replaced] }));
}

/** Null where the member whose row was to be kept holds none that could be deleted elsewhere either. */
async function ruledRow(round: BegunRound, ruling: Ruling, decision: Exclude<Ruling['decision'], { kind: 'change' }>): Promise<SettledRow | null> {
  const { table, key, error } = ruling;
  const made = { key, table, ruling };
  if (decision.kind === 'park') {
    const row = await outcomeOf(round, ruling, { table, key });
    const text = [error.message, error.detail ?? ''].filter((part) => part !== '').join(': ');
    if (!row.isPresent) return null;
    return { ...(await decided(round, made, { row: { ...row, isPresent: false }, decision: 'park' })), parked: { key, row, code: error.code, error: text } };
  }
  const from = round.members.find(({ index }) => index === decision.member);
  const [row] = from === undefined ? [] : await from.rows(table, [key]);
  return from === undefined || row === undefined ? null : decided(round, made, { row, decision: `take ${from.name}` });
}

/** Null where there is nothing to delete. */
async function changedRow(round: BegunRound, ruling: Ruling, change: RuledChange): Promise<SettledRow | null> {
  const { table, key, values } = change;
  const base = await outcomeOf(round, ruling, { table, key });
  const made = { key, table, ruling };
  if (change.change === 'remove') return base.isPresent ? decided(round, made, { row: { ...base, isPresent: false }, decision: 'remove' }) : null;
  if (base.isPresent === (change.change === 'insert')) throw unfit(round, ruling, change);
  const row = [...(change.change === 'insert' ? values.map(() => null) : base.values)];
  for (const [place, text] of values) row[place] = text;
  return decided(round, made, { row: { isPresent: true, values: row }, decision: change.change });
}

/** What all present members would hold after this round: any of them sees it, the one that did not take the row among them. */
async function outcomeOf(round: BegunRound, { member }: Ruling, { table, key }: { table: number; key: readonly string[] }): Promise<RowText> {
  const place = round.members.find(({ index }) => index === member) ?? round.members[0];
  const [row] = (await place?.outcome(table, [key])) ?? [];
  if (row === undefined) throw new Error('nobody says what a row will be');
  return row;
}

type Made = { readonly table: number; readonly key: readonly string[]; readonly ruling: Ruling };

async function decided(round: BegunRound, { table, key, ruling }: Made, { row, decision }: { row: RowText; decision: string }): Promise<SettledRow> {
  const held = await allOf(round.members.map(async (member) => ({ member, row: (await member.rows(table, [key]))[0] })));
  const version = (each: { member: Member; row: RowText | undefined }): readonly RecordedVersion[] =>
    each.row === undefined ? [] : [{ database: each.member.name, at: round.nowMicros, op: each.row.isPresent ? 'update' : 'delete', row: each.row }];
  return {
    write: 'row',
    row,
    at: round.nowMicros,
    isFresh: true,
    names: null,
    carried: null,
    isLast: true,
    record: {
      id: round.newId(),
      kind: `error ${ruling.error.code}`,
      strategy: 'handler',
      decision,
      key,
      versions: held.flatMap(version),
      written: { line: null },
    },
    parked: null,
  };
}

/** The row of a change came or went, though nobody had it otherwise when the handler was asked: the changes of the round itself did it. */
function unfit({ keys }: BegunRound, { table, key }: Ruling, change: RuledChange): TableStopped {
  const what = change.change === 'insert' ? 'is there already' : 'is not there';
  return new TableStopped({
    table,
    code: 'SAR624',
    message: `its handler says ${callOf(change)}, and the row with the key ${change.key.join(', ')} ${what}, by what this round brings`,
    hint: 'Mend the handler, compile and start the runner again, or change one of the rows. Until then only this table waits; nothing of it is lost.',
    key: Object.fromEntries((keys[table] ?? []).map((name, place) => [name, key[place] ?? null])),
  });
}
