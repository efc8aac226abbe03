import { allNames, mostNames } from '../../../conflict/change-names.ts';
import { decidesByTime } from '../../../conflict/clock-skew.ts';
import { isFresh, marksOfTable } from '../../../conflict/bookkeeping.ts';
import { failureText, type HandlerFailure } from '../../../conflict/handlers/judge.ts';
import { commonRow } from '../../../conflict/common-row.ts';
import type { HandlerConflict } from '../../../conflict/handlers/message.ts';
import type { Contains } from '../../../conflict/change.ts';
import { carriedTo, conflictKind, type Judged, judgeKeyBy, type Settled, settleInRing, settleJudged, withoutConflict } from '../../../conflict/settle.ts';
import type { ConflictRows, Decision } from '../../../conflict/strategy.ts';
import type { ContestedKey, Version } from '../../../conflict/version.ts';
import { type ConflictRule, recordedFor } from '../../../plan/conflict-rule.ts';
import { failure } from '../../../plan/errors.ts';
import { isCovered, sameHistory } from '../../../plan/position.ts';
import { allOf } from './all-of.ts';
import type { ConflictRecord, DecidedKeys, Member, MetKey, RowText, RuledConflict, SettledRow } from './member.ts';
import { tablesRuled } from './settle-rulings.ts';
import { TableStopped } from './stop.ts';
import type { BegunRound } from './begun-round.ts';
import type { Contested } from './begun-round.ts';

/** Finds the keys of which several members hold changes, settles each once, and sets the outcome aside at every present member. */
export async function settleContested(round: BegunRound, table: number, origins: readonly Member[]): Promise<Contested> {
  const [place, ...others] = origins;
  if (place === undefined) throw new Error('nobody has changes');
  const sum = { conflicts: 0, settled: 0, fresh: 0 };
  for await (const keys of place.meet(table, others)) {
    const contains = containsIn(round, table);
    const judged = keys.map((key) => judgeKeyBy(key, { rule: ruleOf(round, table), contains }));
    refuseSkew(round, table, judged);
    const rowsAt = rowsOfMet(keys);
    const settled = await decideAll(round, table, { judged, rowsAt });
    stopWhereRuled(round, table, settled);
    const rows = settled.map((each) => settledRow(round, table, each, (member) => rowsAt(each.key, member)));
    await allOf(round.members.map((member) => member.settle(table, carrying(round, table, { settled, rows, member: member.index }))));
    sum.settled += settled.length;
    sum.conflicts += settled.filter(({ isConflict }) => isConflict).length;
    sum.fresh += rows.filter((row) => row.isFresh).length;
  }
  return sum;
}

/**
 * Where there are many, and the plan has statements that decide them, nobody needs to look at the rows. Null where they have to be met. What
 * was said of single rows counts over what is decided here, so that such rows are met.
 */
export async function decideContested(round: BegunRound, table: number, origins: readonly Member[]): Promise<(Contested & Pick<DecidedKeys, 'rows'>) | null> {
  const [place, ...others] = origins;
  if (place === undefined || others.length === 0 || tablesRuled(round.ruled).includes(table)) return null;
  if (recordedFor(ruleOf(round, table)) !== null && !isOneHistory(round, table)) return null;
  const decided = await place.decide(table, others, (conflicts) => askHandler(round, table, conflicts));
  const error = decided !== null && decidesByTime(ruleOf(round, table)) && decided.conflicts > 0 ? clocksApart(round) : null;
  if (error !== null) throw error;
  return decided;
}

async function askHandler(round: BegunRound, table: number, conflicts: readonly HandlerConflict[]): Promise<readonly RuledConflict[]> {
  const decisions = await decisionsOf(round, table, conflicts);
  return conflicts.map(({ versions }, place) => {
    const decision = decisions[place];
    if (decision === undefined) throw new Error('a handler gave fewer decisions than it was asked for');
    const told = decisionText(round, decision);
    if (decision.kind === 'take') return { decision: told, take: decision.member, row: null };
    const rowAt = (member: number): RowText => versions.find((version) => version.member === member)?.row ?? { isPresent: false, values: [] };
    return {
      decision: told,
      take: null,
      row: { ...decidedRow(decision, versions, rowAt), names: null, carried: null, record: null, isLast: false, parked: null },
    };
  });
}

type RowsAt = (key: ContestedKey, member: number) => RowText;

/** In the order of the keys. */
async function decideAll(round: BegunRound, table: number, { judged, rowsAt }: { judged: readonly Judged[]; rowsAt: RowsAt }): Promise<readonly Settled[]> {
  const { databases } = round;
  const rule = ruleOf(round, table);
  if (round.isRing) return judged.map((each) => settleInRing(each, rule));
  if (rule.strategy !== 'handler') return judged.map((each) => settleJudged(each, { rule, databases, rows: conflictRows(round, table, { each, rowsAt }) }));
  const conflicts = judged.filter(({ isConflict }) => isConflict);
  const outcomes = conflicts.length > 0 ? await decideByHandler(round, table, { conflicts, rowsAt }) : [];
  const decided = new Map(conflicts.map((conflict, index) => [conflict, outcomes[index]]));
  return judged.map((each) => {
    const decision = decided.get(each);
    return decision === undefined ? withoutConflict(each) : { ...each, decision };
  });
}

function conflictRows(round: BegunRound, table: number, { each, rowsAt }: { each: Judged; rowsAt: RowsAt }): ConflictRows {
  return {
    columns: round.columns[table] ?? [],
    masked: round.masked[table] ?? [],
    rowOf: (member) => rowsAt(each.key, member),
    contains: containsIn(round, table),
  };
}

/**
 * By how far each member has applied this table. Of a change that was made on another timeline, or before the rows of its member were
 * copied anew, nobody can tell whether a row has it, unless a position covers it.
 */
function containsIn({ known, members }: BegunRound, table: number): Contains {
  const marks = new Map([...known].map(([member, applied]) => [member, marksOfTable(applied, table)]));
  return (member, { member: maker, xid }) => {
    const isOld = xid < (known.get(maker)?.copiedXid ?? 0n);
    if (member === maker) return isOld ? null : true;
    const seen = marks.get(member)?.get(maker);
    const origin = members.find(({ index }) => index === maker);
    if (seen !== undefined && origin !== undefined && !sameHistory(seen.history, origin.history)) return null;
    if (seen !== undefined && isCovered(seen, xid)) return true;
    return isOld ? null : false;
  };
}

/** Whether everybody has applied what the others are now: what is pending is then what a row lacks. */
function isOneHistory({ known, members }: BegunRound, table: number): boolean {
  return [...known.values()].every((applied) =>
    [...marksOfTable(applied, table)].every(([maker, seen]) => {
      const origin = members.find(({ index }) => index === maker);
      return origin === undefined || sameHistory(seen.history, origin.history);
    }),
  );
}

type Settling = { readonly settled: readonly Settled[]; readonly rows: readonly SettledRow[]; readonly member: number };

/** With the changes that each row carries to this member, where the rule asks for them. Two members have nobody to tell. */
function carrying(round: BegunRound, table: number, { settled, rows, member }: Settling): readonly SettledRow[] {
  if (recordedFor(ruleOf(round, table)) === null) return rows;
  const contains = containsIn(round, table);
  return rows.map((row, place) => {
    const of = settled[place];
    return { ...row, carried: of === undefined || round.databases.length < 3 ? [] : carriedTo(member, of, contains) };
  });
}

/** A handler that fails decides nothing: the round is given up, so that no half of its decisions stands, and its table sits the next ones out. */
async function decideByHandler(
  round: BegunRound,
  table: number,
  { conflicts, rowsAt }: { conflicts: readonly Judged[]; rowsAt: RowsAt },
): Promise<readonly Decision[]> {
  const asked = conflicts.map(({ key, candidates }) => ({
    key: key.key,
    versions: candidates.map(({ member, at, op }) => ({ member, at, op, row: rowsAt(key, member) })),
  }));
  return decisionsOf(round, table, asked);
}

async function decisionsOf(round: BegunRound, table: number, asked: readonly HandlerConflict[]): Promise<readonly Decision[]> {
  const commons = await commonRows(round, table, asked);
  const outcomes = await round.decideByHandler(
    table,
    asked.map((each, place) => ({ ...each, common: commons[place] ?? null })),
  );
  return outcomes.map((outcome) => {
    if (outcome.kind !== 'failure') return outcome;
    throw stoppedBy(table, outcome);
  });
}

/** The last rows that the candidates had in common, where the handler asks for them, in the order of the conflicts. */
async function commonRows(round: BegunRound, table: number, conflicts: readonly HandlerConflict[]): Promise<readonly (RowText | null)[]> {
  const layout = round.layouts?.[table] ?? null;
  if (layout === null) return [];
  const involved = round.members.filter(({ index }) => conflicts.some(({ versions }) => versions.some(({ member }) => member === index)));
  const keys = conflicts.map(({ key }) => key);
  const found = await allOf(involved.map((member) => member.befores(table, keys)));
  const befores = new Map(involved.map(({ index }, place) => [index, found[place] ?? []]));
  const columns = round.columns[table]?.length ?? 0;
  return conflicts.map(({ versions }, place) =>
    commonRow(
      versions.map(({ member }) => member),
      (member, other) => befores.get(member)?.[place]?.[other] ?? null,
      { layout, columns },
    ),
  );
}

function stoppedBy(table: number, outcome: HandlerFailure): TableStopped {
  return new TableStopped({
    table,
    code: 'SAR622',
    message: failureText(outcome),
    hint: 'Mend the handler, compile and start the runner again, or make the rows equal. Until then only this table waits; nothing of it is lost.',
    key: Object.fromEntries(Object.entries(outcome.key).map(([column, value]) => [column, value === null ? null : String(value)])),
  });
}

function ruleOf({ rules }: BegunRound, table: number): ConflictRule {
  const rule = rules[table];
  if (rule === undefined) throw new Error(`the plan has no rule for table ${table}`);
  return rule;
}

/** Rather not decided than decided wrongly. */
function refuseSkew(round: BegunRound, table: number, settled: readonly Judged[]): void {
  const error = decidesByTime(ruleOf(round, table)) && settled.some(({ isConflict }) => isConflict) ? clocksApart(round) : null;
  if (error !== null) throw error;
}

/** Why nothing can be decided by time in this round, or null. */
export function clocksApart(round: BegunRound): Error | null {
  const { skewMicros, maxClockSkewMs } = round;
  if (skewMicros <= BigInt(maxClockSkewMs) * 1000n) return null;
  return failure('refused', {
    code: 'SAR621',
    where: `databases ${round.members.map(({ name }) => name).join(', ')}`,
    message: `their clocks are ${Number(skewMicros) / 1000} ms apart, more than ${maxClockSkewMs} ms, and a conflict is to be decided by time`,
    hint: 'Set the clocks right (NTP on every server); the sync goes on by itself. Or allow more with maxClockSkew.',
  });
}

function stopWhereRuled({ databases, keys }: BegunRound, table: number, settled: readonly Settled[]): void {
  const found = settled.find(({ decision }) => decision.kind === 'stop');
  if (found?.decision.kind !== 'stop') return;
  const members = found.candidates.map(({ member }) => databases[member]).join(', ');
  const key = Object.fromEntries(found.key.key.map((value, place) => [keys[table]?.[place] ?? String(place), value]));
  const shown = Object.entries(key).map(([column, value]) => `${column} = ${value}`);
  throw new TableStopped({
    table,
    code: 'SAR620',
    message: `${members} hold different rows of key ${shown.join(', ')} (${conflictKind(found.candidates)}): ${found.decision.reason}`,
    hint: 'Make the rows equal by hand, or give the table another rule, compile, apply, and start the runner again. Until then only this table waits.',
    key,
  });
}

function rowsOfMet(keys: readonly MetKey[]): RowsAt {
  const met = new Map<ContestedKey, MetKey>(keys.map((key) => [key, key]));
  return (key, member) => {
    const found = met.get(key);
    if (found === undefined) throw new Error(`no page has the key ${JSON.stringify(key.key)}`);
    return found.rowOf(member);
  };
}

function settledRow(round: BegunRound, table: number, settled: Settled, rowAt: (member: number) => RowText): SettledRow {
  const { decision, candidates, isConflict } = settled;
  const record = isConflict ? recordOf(round, table, settled, rowAt) : null;
  const names = isConflict
    ? null
    : allNames(
        settled.key.versions.map((version) => version.names),
        mostNames(ruleOf(round, table)),
      );
  const row = { ...decidedRow(decision, candidates, rowAt), carried: null, record, isLast: false, parked: null };
  if (row.write === 'skip') return { ...row, names: null };
  return { ...row, isFresh: isFresh(settled, round.databases.length), names };
}

type Candidate = { readonly member: number; readonly at: bigint };

/** What a decision writes, and the time of the version that it carries. */
function decidedRow(
  decision: Decision,
  candidates: readonly Candidate[],
  rowAt: (member: number) => RowText,
): Pick<SettledRow, 'write' | 'row' | 'at' | 'isFresh'> {
  const [first] = candidates;
  if (first === undefined) throw new Error('a conflict without candidates');
  let latest = first.at;
  for (const { at } of candidates) if (at > latest) latest = at;
  switch (decision.kind) {
    case 'take':
      return { write: 'row', row: rowAt(decision.member), at: candidates.find(({ member }) => member === decision.member)?.at ?? latest, isFresh: true };
    case 'merge':
      return { write: 'row', row: { isPresent: true, values: decision.values }, at: latest, isFresh: true };
    case 'remove':
      return { write: 'row', row: { ...rowAt(first.member), isPresent: false }, at: latest, isFresh: true };
    default:
      return { write: 'skip', row: rowAt(first.member), at: first.at, isFresh: false };
  }
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
    written: { line: null },
  };
}

function decisionText({ databases }: BegunRound, decision: Decision): string {
  if (decision.kind === 'merge' && decision.note !== undefined) return `merge (${decision.note})`;
  return decision.kind === 'take' ? `take ${databases[decision.member] ?? ''}` : decision.kind;
}
