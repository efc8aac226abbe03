import { decidesByTime } from '../../../conflict/clock-skew.ts';
import { isFresh } from '../../../conflict/bookkeeping.ts';
import { conflictKind, settle, type Settled } from '../../../conflict/settle.ts';
import type { Decision } from '../../../conflict/strategy.ts';
import type { Version } from '../../../conflict/version.ts';
import type { ConflictRule } from '../../../plan/conflict-rule.ts';
import { failure } from '../../../plan/errors.ts';
import { allOf } from './all-of.ts';
import type { BegunRound } from './master-round.ts';
import type { ConflictRecord, Member, RowText, SettledRow } from './member.ts';

/** What became of the contested keys of a table. */
export type Contested = { readonly conflicts: number; readonly settled: number; readonly fresh: number };

/** Finds the keys of which several members hold changes, settles each once, and sets the outcome aside at every present member. */
export async function settleContested(round: BegunRound, table: number, origins: readonly Member[]): Promise<Contested> {
  const [place, ...others] = origins;
  if (place === undefined) throw new Error('nobody has changes');
  const sum = { conflicts: 0, settled: 0, fresh: 0 };
  for await (const keys of place.meet(table, others)) {
    const settled = keys.map((key) => settle(key, { rule: ruleOf(round, table), databases: round.databases }));
    refuseSkew(round, table, settled);
    refuseStop(round, table, settled);
    const rows = await settledRows(round, table, settled);
    await allOf(round.members.map((member) => member.settle(table, rows)));
    sum.settled += settled.length;
    sum.conflicts += settled.filter(({ isConflict }) => isConflict).length;
    sum.fresh += rows.filter((row) => row.isFresh).length;
  }
  return sum;
}

function ruleOf({ rules }: BegunRound, table: number): ConflictRule {
  const rule = rules[table];
  if (rule === undefined) throw new Error(`the plan has no rule for table ${table}`);
  return rule;
}

/** Rather not decided than decided wrongly. */
function refuseSkew(round: BegunRound, table: number, settled: readonly Settled[]): void {
  const { skewMicros, maxClockSkewMs } = round;
  if (skewMicros <= BigInt(maxClockSkewMs) * 1000n || !decidesByTime(ruleOf(round, table)) || !settled.some(({ isConflict }) => isConflict)) return;
  throw failure('refused', {
    code: 'SAR621',
    where: `databases ${round.members.map(({ name }) => name).join(', ')}`,
    message: `their clocks are ${Number(skewMicros) / 1000} ms apart, more than ${maxClockSkewMs} ms, and a conflict is to be decided by time`,
    hint: 'Set the clocks right (NTP on every server); the sync goes on by itself. Or allow more with maxClockSkew.',
  });
}

function refuseStop({ databases }: BegunRound, table: number, settled: readonly Settled[]): void {
  const found = settled.find(({ decision }) => decision.kind === 'stop');
  if (found?.decision.kind !== 'stop') return;
  const members = found.candidates.map(({ member }) => databases[member]).join(', ');
  throw failure('refused', {
    code: 'SAR620',
    where: `table ${table}, key ${JSON.stringify(found.key.key)}`,
    message: `${members} hold different rows of one key (${conflictKind(found.candidates)}): ${found.decision.reason}`,
    hint: 'Make the rows equal by hand, or give the table another rule, compile, apply, and start the runner again.',
  });
}

/** The rows of each candidate of a conflict (for its record) and of each winner, asked for once. */
async function settledRows(round: BegunRound, table: number, settled: readonly Settled[]): Promise<readonly SettledRow[]> {
  const rows = new Map<number, ReadonlyMap<Settled, RowText>>();
  for (const member of round.members) rows.set(member.index, await rowsAt(member, table, settled));
  return settled.map((each) => settledRow(round, table, each, (member) => rowOf(rows, each, member)));
}

async function rowsAt(member: Member, table: number, settled: readonly Settled[]): Promise<ReadonlyMap<Settled, RowText>> {
  const wanted = settled.filter((each) => isWanted(each, member.index));
  if (wanted.length === 0) return new Map();
  const found = await member.rows(
    table,
    wanted.map(({ key }) => key.key),
  );
  return new Map(wanted.flatMap((each, index) => (found[index] ? [[each, found[index]] as const] : [])));
}

function isWanted({ candidates, isConflict, decision }: Settled, member: number): boolean {
  if (decision.kind === 'take' && decision.member === member) return true;
  return isConflict && candidates.some((candidate) => candidate.member === member);
}

function rowOf(rows: ReadonlyMap<number, ReadonlyMap<Settled, RowText>>, settled: Settled, member: number): RowText {
  const row = rows.get(member)?.get(settled);
  if (row === undefined) throw new Error(`member ${member} did not say what it holds`);
  return row;
}

function settledRow(round: BegunRound, table: number, settled: Settled, rowAt: (member: number) => RowText): SettledRow {
  const { decision, candidates, isConflict } = settled;
  const record = isConflict ? recordOf(round, table, settled, rowAt) : null;
  const first = candidates[0];
  if (decision.kind === 'take') {
    const at = candidates.find(({ member }) => member === decision.member)?.at ?? 0n;
    return { write: 'row', row: rowAt(decision.member), at, isFresh: isFresh(settled, round.databases.length), record };
  }
  if (first === undefined) throw new Error('a conflict without candidates');
  return { write: 'skip', row: rowAt(first.member), at: first.at, isFresh: false, record };
}

function recordOf(round: BegunRound, table: number, { key, candidates, decision }: Settled, rowAt: (member: number) => RowText): ConflictRecord {
  const version = ({ member, at, op }: Version) => ({ database: round.databases[member] ?? '', at, op, row: rowAt(member) });
  return {
    id: round.newId(),
    kind: conflictKind(candidates),
    strategy: ruleOf(round, table).strategy,
    decision: decisionText(round, decision),
    key: key.key,
    versions: candidates.map(version),
  };
}

function decisionText({ databases }: BegunRound, decision: Decision): string {
  return decision.kind === 'take' ? `take ${databases[decision.member] ?? ''}` : decision.kind;
}
