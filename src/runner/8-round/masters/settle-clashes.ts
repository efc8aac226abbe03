import { byRank, type ClashingRow, clashLosers, decidesClashesByTime, OWN_ERROR, UNIQUE_KIND } from '../../../conflict/unique.ts';
import type { ClashDecision, HandlerClash } from '../../../conflict/handlers/judge-clash.ts';
import { failureText } from '../../../conflict/handlers/judge.ts';
import type { HandlerRule } from '../../../plan/conflict-rule.ts';
import type { NamedUniqueRule, UniqueRule } from '../../../plan/unique-rule.ts';
import { allOf } from './all-of.ts';
import { type Found, foundRow, type FoundRows, gatherClashes, idOf } from './gather-clashes.ts';
import type { ClashPair, Member, RecordedVersion, SettledRow } from './member.ts';
import { clocksApart } from './settle-contested.ts';
import { TableStopped } from './stop.ts';
import type { BegunRound, Contested } from './begun-round.ts';

/** So often rows may be changed to values that are taken as well. */
const MOST_PASSES = 5;

/**
 * Finds rows that hold one unique value under different keys, and decides once what becomes of them: a removal or a change is a decision,
 * recorded as a change of its own at every present member, and removed rows are parked there. Any member that has changes sees all of it:
 * what it holds and what was set aside for it is what all present members will hold, and among its own rows nothing clashes.
 */
export async function settleClashes(round: BegunRound, table: number, origins: readonly Member[]): Promise<Contested> {
  const rule = round.uniqueRules[table] ?? null;
  const [place, ...others] = origins;
  let settled = 0;
  if (rule === null || place === undefined || others.length === 0) return { conflicts: 0, settled, fresh: 0 };
  for (let pass = 0; ; pass += 1) {
    const pairs = await place.clashes(table);
    if (pairs.length === 0) break;
    const error = decidesClashesByTime(rule) ? clocksApart(round) : null;
    if (error !== null) throw error;
    const clashes = { pairs, found: await gatherClashes(table, pairs, { place, others }) };
    if (pass === MOST_PASSES) throw endless(round, table, clashes);
    const rows = rule.strategy === 'handler' ? await byHandler(round, table, { ...clashes, rule }) : removals(round, rule, clashes);
    await allOf(round.members.map((member) => member.settle(table, rows)));
    settled += rows.length;
    // Rows that are gone leave nothing behind; what a row was changed to may be taken as well.
    if (rows.every(({ row }) => !row.isPresent)) break;
  }
  return { conflicts: settled, settled, fresh: settled };
}

type Clashes = { readonly pairs: readonly ClashPair[]; readonly found: FoundRows };

function removals(round: BegunRound, rule: NamedUniqueRule, clashes: Clashes): readonly SettledRow[] {
  const { pairs, found } = clashes;
  const ids = pairs.map(({ one, other }) => [idOf(one), idOf(other)] as const);
  const lost = clashLosers({ rows: [...found.values()], clashes: ids, databases: round.databases }, rule);
  return [...lost].sort().map((id) => settledRow(round, rule, { ...clashes, row: foundRow(found, id), values: null }));
}

/** Pair after pair, the oldest rows first; a row that has been dealt with is asked about no more. */
async function byHandler(round: BegunRound, table: number, { rule, ...clashes }: Clashes & { readonly rule: HandlerRule }): Promise<readonly SettledRow[]> {
  const asked = inOrder(clashes);
  const decisions = await round.unclashByHandler(
    table,
    asked.map(({ index, rows }): HandlerClash => ({ index, rows: [handled(rows[0]), handled(rows[1])] })),
  );
  const rows = new Map<string, SettledRow>();
  for (const [place, { rows: pair }] of asked.entries()) {
    const decision = decisions[place];
    if (decision === undefined) throw new Error('the handler gave fewer answers than it got questions');
    if (decision.kind === 'failure') throw failed(table, failureText(decision), pair[1], round);
    if (pair.some(({ id }) => rows.has(id))) continue;
    if (decision.kind === 'stop') throw failed(table, 'its handler for unique values says stop()', pair[1], round);
    for (const { row, values } of outcomeOf(decision, pair)) rows.set(row.id, settledRow(round, rule, { ...clashes, row, values }));
  }
  return [...rows.values()];
}

type Pair = readonly [Found, Found];

function outcomeOf(decision: Exclude<ClashDecision, { kind: 'stop' }>, pair: Pair): readonly { readonly row: Found; readonly values: Changed }[] {
  if (decision.kind === 'change') return [{ row: pair[1], values: decision.values }];
  return decision.places.map((place) => ({ row: pair[place], values: null }));
}

/** The same on whatever runner: each pair once, the earlier row first, pairs by their later row. */
function inOrder({ pairs, found }: Clashes): readonly { readonly index: string; readonly rows: Pair }[] {
  const once = new Map<string, { readonly index: string; readonly rows: Pair }>();
  for (const { index, one, other } of pairs) {
    const [a, b] = [foundRow(found, idOf(one)), foundRow(found, idOf(other))];
    const rows: Pair = byRank(a, b) <= 0 ? [a, b] : [b, a];
    once.set(JSON.stringify([index, rows[0].id, rows[1].id]), { index, rows });
  }
  return [...once.values()].sort(
    (one, other) => byRank(one.rows[1], other.rows[1]) || byRank(one.rows[0], other.rows[0]) || (one.index < other.index ? -1 : 1),
  );
}

function handled({ member, at, text }: Found): HandlerClash['rows'][number] {
  return { member, at, key: text.key, row: text.row };
}

function failed(table: number, message: string, { text }: Found, { keys }: BegunRound): TableStopped {
  return new TableStopped({
    table,
    code: 'SAR622',
    message,
    hint: 'Mend the handler, compile and start the runner again, or change one of the rows. Until then only this table waits; nothing of it is lost.',
    key: Object.fromEntries((keys[table] ?? []).map((name, place) => [name, text.key[place] ?? null])),
  });
}

function endless(round: BegunRound, table: number, { found }: Clashes): TableStopped {
  const [first] = [...found.values()].sort(byRank);
  if (first === undefined) throw new Error('a clash without rows');
  return failed(table, `its handler for unique values has changed rows ${MOST_PASSES} times over to values that are taken as well`, first, round);
}

/** Null where the row goes. */
type Changed = readonly (string | null)[] | null;

type Deciding = Clashes & { readonly row: Found; readonly values: Changed };

function settledRow(round: BegunRound, rule: UniqueRule, { row: loser, values, pairs, found }: Deciding): SettledRow {
  const clashes = pairs.filter(({ one, other }) => idOf(one) === loser.id || idOf(other) === loser.id);
  const rivals = [...new Set(clashes.flatMap(({ one, other }) => [idOf(one), idOf(other)]))].filter((id) => id !== loser.id).map((id) => foundRow(found, id));
  const index = clashes[0]?.index ?? '';
  // The record's own row first.
  const rows = [loser, ...rivals];
  const latest = rows.reduce((sum, { at }) => ((at ?? 0n) > sum ? (at ?? 0n) : sum), 0n);
  const version = ({ member, at, text }: ClashingRow & Pick<Found, 'text'>): RecordedVersion => ({
    database: round.databases[member] ?? '',
    at: at ?? 0n,
    op: 'update',
    row: text.row,
  });
  const { key, row } = loser.text;
  const decision = values === null ? 'park' : 'merge';
  return {
    write: 'row',
    row: values === null ? { ...row, isPresent: false } : { isPresent: true, values },
    at: latest,
    isFresh: true,
    names: null,
    carried: null,
    isLast: true,
    record: { id: round.newId(), kind: `${UNIQUE_KIND}${index}`, strategy: rule.strategy, decision, key, versions: rows.map(version), written: { line: null } },
    parked: values === null ? { key, row, code: '23505', error: `${OWN_ERROR}${index} takes one of these rows: ${rows.map(shown).join(', ')}` } : null,
  };
}

function shown({ text }: Found): string {
  return `(${text.key.join(', ')})`;
}
