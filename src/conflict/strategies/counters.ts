import type { CountersRule } from '../../plan/conflict-rule.ts';
import { addable, lacking } from '../addable.ts';
import { type Change, type Contains, sumOf } from '../change.ts';
import { MASK } from '../mask.ts';
import { type Conflict, type Decision, rowsOf, type Strategy } from '../strategy.ts';
import type { Version } from '../version.ts';
import { haveRowInCommon, mergeColumns } from './columns.ts';
import { decidePlainly } from './plain.ts';

/**
 * The rest of the row by another rule; to its counters is added what the other versions have added to theirs since the row was the same,
 * each change once. Which version is added to makes no difference. A version whose row was inserted or deleted meanwhile has nothing that
 * could be added: the second rule takes the one or the other, as it is.
 */
export const counters: Strategy = {
  name: 'counters',
  summary: 'the changes of all versions add up in the counters; a second rule for the rest of the row',
  decide: (conflict, rule) => {
    if (rule.strategy !== 'counters') throw new Error(`not a rule for counters: ${rule.strategy}`);
    const rest = decideRest(conflict, rule);
    const base = rest.kind === 'take' ? rest.member : rest.kind === 'merge' ? rest.base : undefined;
    if (base === undefined) return rest;
    const { rowOf, contains } = rowsOf(conflict);
    const row = rest.kind === 'merge' ? { isPresent: true, values: rest.values } : rowOf(base);
    if (!row.isPresent) return rest;
    return withSums(conflict, { rule, rest, base, values: row.values, changes: addable(conflict.candidates, base, contains) });
  },
};

/** Whether one of them has added to a counter what another one does not have: then rows that look the same are not. */
export function addsUp(candidates: readonly Version[], contains: Contains): boolean {
  return candidates.some((version) =>
    candidates.some(
      (other) =>
        other.member !== version.member &&
        (lacking(version, other.member, contains) ?? []).some(({ amounts }) => Object.values(amounts).some((amount) => !/^-?0(\.0+)?$/.test(amount))),
    ),
  );
}

/** Nothing is to be decided where the versions differ in counters only. */
function decideRest(conflict: Conflict, { counters: names, otherwise }: CountersRule): Decision {
  const { columns, rowOf, contains } = rowsOf(conflict);
  const { candidates } = conflict;
  if (otherwise.strategy === 'columns') return mergeColumns(conflict, otherwise, names);
  const rest = (member: number): string => JSON.stringify(rowOf(member).values.filter((_, place) => !names.includes(columns[place] ?? '')));
  const isSame = new Set(candidates.map(({ member }) => rest(member))).size === 1 && haveRowInCommon(candidates, contains);
  return isSame ? { kind: 'take', member: Math.min(...candidates.map(({ member }) => member)) } : decidePlainly(conflict, otherwise);
}

type Sums = {
  readonly rule: CountersRule;
  readonly rest: Decision;
  readonly base: number;
  readonly values: readonly (string | null)[];
  readonly changes: readonly Change[];
};

function withSums(conflict: Conflict, { rule, rest, base, values, changes }: Sums): Decision {
  const notes: string[] = [];
  const { columns, rowOf, masked = [] } = rowsOf(conflict);
  const summed = columns.map((name, place) => {
    if (!rule.counters.includes(name)) return values[place] ?? null;
    const own = rowOf(base).values[place] ?? null;
    const amount = changes.map(({ amounts }) => amounts[name] ?? '0').reduce<string | null>((sum, each) => (sum === null ? null : sumOf(sum, each)), '0');
    if (amount === null || /^-?0(\.0+)?$/.test(amount)) return own;
    const total = sumOf(own ?? '0', amount);
    if (total === null) return own;
    const sum = `${own ?? 'null'} ${amount.startsWith('-') ? '-' : '+'} ${amount.replace(/^-/, '')} = ${total}`;
    notes.push(`${name} ${masked.includes(name) ? MASK : sum}`);
    return total;
  });
  if (rest.kind === 'take' && notes.length === 0) return rest;
  const overruled = 'overruled' in rest && rest.overruled !== undefined ? { overruled: rest.overruled } : {};
  const first = rest.kind === 'take' ? `row of ${conflict.databases[base] ?? ''}` : rest.kind === 'merge' ? (rest.note ?? '') : '';
  return { kind: 'merge', values: summed, base, note: [first, ...notes].filter((note) => note !== '').join(', '), ...overruled };
}
