import { clashLosers, type ClashingRow, decidesClashesByTime } from '../../../conflict/unique.ts';
import type { UniqueRule } from '../../../plan/unique-rule.ts';
import { allOf } from './all-of.ts';
import type { BegunRound } from './master-round.ts';
import type { ClashingText, ClashPair, Member, RecordedVersion, SettledRow } from './member.ts';
import { clocksApart, type Contested } from './settle-contested.ts';

/**
 * Finds rows that hold one unique value under different keys, and decides once which of them go: their removal is a decision, recorded as
 * a change of its own at every present member, and the rows are parked there. Any member that has changes sees all of it: what it holds
 * and what was set aside for it is what all present members will hold, and among its own rows nothing clashes.
 */
export async function settleClashes(round: BegunRound, table: number, origins: readonly Member[]): Promise<Contested> {
  const rule = round.uniqueRules[table] ?? null;
  const [place, ...others] = origins;
  if (rule === null || place === undefined || others.length === 0) return { conflicts: 0, settled: 0, fresh: 0 };
  const pairs = await place.clashes(table);
  if (pairs.length === 0) return { conflicts: 0, settled: 0, fresh: 0 };
  const error = decidesClashesByTime(rule) ? clocksApart(round) : null;
  if (error !== null) throw error;
  const found = await clashingRows(table, pairs, { place, others });
  const clashes = pairs.map(({ one, other }) => [idOf(one), idOf(other)] as const);
  const lost = clashLosers({ rows: [...found.values()], clashes, databases: round.databases }, rule);
  const removals = [...lost].sort().map((id) => removalOf(round, rule, { loser: rowOf(found, id), pairs, found }));
  await allOf(round.members.map((member) => member.settle(table, removals)));
  return { conflicts: removals.length, settled: removals.length, fresh: removals.length };
}

type Found = ClashingRow & { readonly text: ClashingText };

async function clashingRows(
  table: number,
  pairs: readonly ClashPair[],
  { place, others }: { place: Member; others: readonly Member[] },
): Promise<ReadonlyMap<string, Found>> {
  const texts = new Map(pairs.flatMap(({ one, other }) => [one, other]).map((text) => [idOf(text), text]));
  const arrived = [...texts.values()].filter(({ isStanding }) => !isStanding);
  const owners = await ownersOf(table, arrived, others);
  return new Map(
    [...texts].map(([id, text]) => {
      const member = text.isStanding ? place.index : (owners.get(text) ?? place.index);
      return [id, { id, member, at: text.at, text }];
    }),
  );
}

/** The first of the others that holds such a row. */
async function ownersOf(table: number, arrived: readonly ClashingText[], others: readonly Member[]): Promise<ReadonlyMap<ClashingText, number>> {
  const owners = new Map<ClashingText, number>();
  for (const other of others) {
    const left = arrived.filter((text) => !owners.has(text));
    if (left.length === 0) break;
    const rows = await other.rows(
      table,
      left.map(({ key }) => key),
    );
    for (const [index, text] of left.entries()) if (rows[index]?.isPresent) owners.set(text, other.index);
  }
  return owners;
}

type Removal = { readonly loser: Found; readonly pairs: readonly ClashPair[]; readonly found: ReadonlyMap<string, Found> };

function removalOf(round: BegunRound, rule: UniqueRule, { loser, pairs, found }: Removal): SettledRow {
  const clashes = pairs.filter(({ one, other }) => idOf(one) === loser.id || idOf(other) === loser.id);
  const rivals = [...new Set(clashes.flatMap(({ one, other }) => [idOf(one), idOf(other)]))].filter((id) => id !== loser.id).map((id) => rowOf(found, id));
  const index = clashes[0]?.index ?? '';
  const rows = [loser, ...rivals];
  const latest = rows.reduce((sum, { at }) => ((at ?? 0n) > sum ? (at ?? 0n) : sum), 0n);
  const version = ({ member, at, text }: Found): RecordedVersion => ({ database: round.databases[member] ?? '', at: at ?? 0n, op: 'update', row: text.row });
  const { key, row } = loser.text;
  return {
    write: 'row',
    row: { ...row, isPresent: false },
    at: latest,
    isFresh: true,
    names: null,
    carried: null,
    isLast: true,
    record: { id: round.newId(), kind: `unique ${index}`, strategy: rule.strategy, decision: 'park', key, versions: rows.map(version) },
    parked: { key, row, code: '23505', error: `the unique index ${index} takes one of these rows: ${rows.map(({ text }) => shown(text)).join(', ')}` },
  };
}

function shown({ key }: ClashingText): string {
  return `(${key.join(', ')})`;
}

function rowOf(found: ReadonlyMap<string, Found>, id: string): Found {
  const row = found.get(id);
  if (row === undefined) throw new Error('a clash of a row that is not there');
  return row;
}

function idOf({ key }: ClashingText): string {
  return JSON.stringify(key);
}
