import type { ColumnsRule } from '../../plan/conflict-rule.ts';
import { lacking } from '../addable.ts';
import type { Change, Contains } from '../change.ts';
import type { Conflict, ConflictRows, Decision, Strategy } from '../strategy.ts';
import { rowsOf } from '../strategy.ts';
import type { Version } from '../version.ts';
import { decidePlainly } from './plain.ts';

/**
 * Each column by itself: that of the version which has changed it, seen by none of the others; where several have, the second rule
 * chooses among those. The row is judged as a whole where versions have no row in common: one was inserted, deleted, or inserted anew.
 */
export const columns: Strategy = {
  name: 'columns',
  summary: 'each column from the version that changed it; a second rule where several did',
  decide: (conflict, rule) => {
    if (rule.strategy !== 'columns') throw new Error(`not a rule for columns: ${rule.strategy}`);
    return mergeColumns(conflict, rule, []);
  },
};

/** @param except columns that somebody else decides; they are taken from the first candidate */
export function mergeColumns(conflict: Conflict, { otherwise }: ColumnsRule, except: readonly string[]): Decision {
  const rows = rowsOf(conflict);
  const candidates = inOrder(conflict.candidates);
  const [first] = candidates;
  if (first === undefined || !haveRowInCommon(candidates, rows.contains)) return decidePlainly(conflict, otherwise);
  const taken: { readonly name: string; readonly member: number }[] = [];
  const overruled = new Map<string, readonly Change[]>();
  for (const [place, name] of rows.columns.entries()) {
    if (except.includes(name)) {
      taken.push({ name, member: first.member });
      continue;
    }
    const latest = undominated(candidates, { name, contains: rows.contains });
    const values = new Set(latest.map(({ member }) => rows.rowOf(member).values[place]));
    const decision: Decision = values.size === 1 ? { kind: 'take', member: latest[0]?.member ?? first.member } : among(conflict, latest, otherwise);
    if (decision.kind !== 'take') return decision;
    taken.push({ name, member: decision.member });
    if (values.size > 1) overruled.set(name, notIn(decision.member, latest, { name, contains: rows.contains }));
  }
  return { ...merged(conflict, taken, first.member), overruled };
}

/** Every one of them holds a row, and each difference between two of them is known by its columns. */
export function haveRowInCommon(candidates: readonly Version[], contains: Contains): boolean {
  return candidates.every(
    (version) => version.op !== 'delete' && candidates.every((other) => other.member === version.member || lacking(version, other.member, contains) !== null),
  );
}

function among(conflict: Conflict, latest: readonly Version[], otherwise: ColumnsRule['otherwise']): Decision {
  return decidePlainly({ ...conflict, candidates: latest }, otherwise);
}

/** As for rows (`candidates`), with the changes of this column alone. */
function undominated(candidates: readonly Version[], { name, contains }: { name: string; contains: Contains }): readonly Version[] {
  const isNews = (version: Version, to: Version): boolean => (lacking(version, to.member, contains) ?? []).some((change) => change.columns?.includes(name));
  const left = candidates.filter((version) => !candidates.some((other) => other !== version && isNews(other, version) && !isNews(version, other)));
  return left.length === 0 ? candidates : left;
}

function notIn(member: number, latest: readonly Version[], { name, contains }: { name: string; contains: Contains }): readonly Change[] {
  const changes = latest.flatMap((version) => version.changes ?? []);
  return changes.filter((change) => change.columns?.includes(name) && contains(member, change) !== true);
}

type Made = Extract<Decision, { kind: 'take' | 'merge' }>;

/** The row of one member where it is just that. */
function merged(conflict: Conflict, taken: readonly { readonly name: string; readonly member: number }[], base: number): Made {
  const { rowOf } = rowsOf(conflict);
  const values = taken.map(({ member }, place) => rowOf(member).values[place] ?? null);
  const whole = inOrder(conflict.candidates).find(({ member }) => values.every((value, place) => rowOf(member).values[place] === value));
  if (whole !== undefined) return { kind: 'take', member: whole.member };
  return { kind: 'merge', values, base, note: noteOf(conflict, { taken, base }) };
}

/** `stock of west, price of east`: what is not the same everywhere. */
function noteOf(conflict: Conflict, { taken, base }: { taken: readonly { readonly name: string; readonly member: number }[]; base: number }): string {
  const rows: ConflictRows = rowsOf(conflict);
  const parts = taken.flatMap(({ name, member }, place) => {
    const value = rows.rowOf(member).values[place];
    const isSame = conflict.candidates.every((version) => rows.rowOf(version.member).values[place] === value);
    return isSame ? [] : [`${name} of ${conflict.databases[member] ?? conflict.databases[base] ?? ''}`];
  });
  return parts.join(', ');
}

function inOrder(candidates: readonly Version[]): readonly Version[] {
  return [...candidates].sort((a, b) => a.member - b.member);
}
