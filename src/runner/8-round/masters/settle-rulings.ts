import type { Change } from '../../../conflict/change.ts';
import type { FailureError } from '../../../conflict/handlers/failure.ts';
import { recordedFor } from '../../../plan/conflict-rule.ts';
import { allOf } from './all-of.ts';
import type { BegunRound } from './master-round.ts';
import type { Member, RecordedVersion, RowText, SettledRow } from './member.ts';
import type { Contested } from './settle-contested.ts';

/** What a handler has said of a row that a member did not take in a round before this one. */
export type Ruling = {
  readonly key: readonly string[];
  /** The member that did not take the row. */
  readonly member: number;
  readonly error: FailureError;
  readonly decision: { readonly kind: 'keep'; readonly member: number } | { readonly kind: 'park' };
};

/**
 * Sets aside, at every present member, what was ruled for single rows: a decision as any other, which counts whatever was settled or
 * delivered for the same key.
 */
export async function settleRulings(round: BegunRound, table: number): Promise<Contested> {
  const rows: SettledRow[] = [];
  for (const ruling of round.rulings(table)) {
    const row = await ruledRow(round, table, ruling);
    if (row !== null) rows.push(row);
  }
  if (rows.length > 0) await allOf(round.members.map((member) => member.settle(table, replacing(round, table, { rows, member: member.index }))));
  return { conflicts: rows.length, settled: rows.length, fresh: rows.length };
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

type Held = { readonly member: Member; readonly row: RowText };

/** Null where the member whose row was to be kept is not there any more. */
async function ruledRow(round: BegunRound, table: number, { key, member, error, decision }: Ruling): Promise<SettledRow | null> {
  const held: Held[] = [];
  for (const each of round.members) for (const row of await each.rows(table, [key])) held.push({ member: each, row });
  const from = decision.kind === 'keep' ? held.find((each) => each.member.index === decision.member) : arriving(held, member);
  if (from === undefined) return null;
  const isParked = decision.kind === 'park';
  const version = (each: Held): RecordedVersion => ({
    database: each.member.name,
    at: round.nowMicros,
    op: each.row.isPresent ? 'update' : 'delete',
    row: each.row,
  });
  return {
    write: 'row',
    row: isParked ? { ...from.row, isPresent: false } : from.row,
    at: round.nowMicros,
    isFresh: true,
    names: null,
    carried: null,
    isLast: true,
    record: {
      id: round.newId(),
      kind: `error ${error.code}`,
      strategy: 'handler',
      decision: decision.kind === 'keep' ? `take ${from.member.name}` : 'park',
      key,
      versions: held.map(version),
      written: { line: null },
    },
    parked: isParked ? { key, row: from.row, code: error.code, error: [error.message, error.detail ?? ''].filter((part) => part !== '').join(': ') } : null,
  };
}

/** The row that was not taken: that of another member. */
function arriving(held: readonly Held[], refusing: number): Held | undefined {
  const others = held.filter(({ row }) => row.isPresent);
  return others.find(({ member }) => member.index !== refusing) ?? others[0];
}
