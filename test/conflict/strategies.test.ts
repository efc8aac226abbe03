import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { candidates, isConflict } from '../../src/conflict/candidates.ts';
import { settle } from '../../src/conflict/settle.ts';
import { STRATEGIES } from '../../src/conflict/strategies.ts';
import type { RowText } from '../../src/conflict/row-text.ts';
import type { Conflict, Decision, Strategy } from '../../src/conflict/strategy.ts';
import type { Version } from '../../src/conflict/version.ts';
import type { NamedRule } from '../../src/plan/conflict-rule.ts';

/** What every strategy has to keep to, so that a conflict is decided the same way wherever and however often it is looked at. */

const DATABASES = ['east', 'west', 'north', 'south', 'centre'];

/** Few times, so that ties are common. A version is a delete where its row is absent. */
const version = fc
  .record({
    at: fc.bigInt(1n, 4n),
    op: fc.constantFrom<Version['op'][]>('insert', 'update'),
    image: fc.constantFrom('', 'a', 'b', 'c'),
    columns: fc.option(fc.subarray(['what', 'n']), { freq: 5 }),
    amount: fc.integer({ min: -3, max: 3 }),
  })
  .map(({ image, op, columns, amount, at }) => {
    const amounts = { n: String(columns?.includes('n') ? amount : 0) };
    return { at, image, op: image === '' ? 'delete' : op, columns: image === '' ? null : columns, amounts } as const;
  });

/** Two candidates or more, each of another member, ordered by member. */
const conflicting = fc
  .tuple(fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 2 }), fc.array(version, { minLength: 5, maxLength: 5 }))
  .map(([members, versions]) =>
    [...members]
      .sort((a, b) => a - b)
      .flatMap((member, place) =>
        versions.slice(place, place + 1).map(({ columns, amounts, ...each }): Version => {
          return { member, pendingAt: 31 & ~(1 << member), names: null, ...each, changes: [{ member, xid: 7n, columns, amounts }] };
        }),
      ),
  );

/** Those that make a row of several. */
const MERGING: readonly string[] = ['columns', 'counters'];

const preferred = fc.shuffledSubarray(DATABASES);

function ruleFor({ name }: Strategy, databases: readonly string[]): NamedRule {
  if (name === 'prefer') return { strategy: name, databases };
  const otherwise = databases.length % 2 === 0 ? ({ strategy: 'last-update-wins' } as const) : ({ strategy: 'prefer', databases } as const);
  if (name === 'columns') return { strategy: name, otherwise };
  return name === 'counters'
    ? { strategy: name, counters: ['n'], otherwise: databases.length > 2 ? { strategy: 'columns', otherwise } : otherwise }
    : { strategy: name };
}

/** Rows that were the same once, with what each version has changed; of the changes of others nobody has seen any. */
function conflictOf(found: readonly Version[]): Conflict {
  const rowOf = (member: number): RowText => {
    const [version] = found.filter((each) => each.member === member);
    const changed = (name: string): boolean => version?.changes?.[0]?.columns?.includes(name) ?? true;
    const n = changed('n') ? String(10 + Number(version?.changes?.[0]?.amounts['n'])) : '10';
    return { isPresent: version?.op !== 'delete', values: ['1', changed('what') ? `${version?.image} of ${member % 2}` : 'common', n] };
  };
  return { candidates: found, databases: DATABASES, rows: { columns: ['id', 'what', 'n'], rowOf, contains: (member, change) => member === change.member } };
}

function winner(decision: Decision, found: readonly Version[]): Version | null {
  return decision.kind === 'take' ? (found.find(({ member }) => member === decision.member) ?? null) : null;
}

describe.each(STRATEGIES.map((strategy) => [strategy.name, strategy] as const))('%s', (_, strategy) => {
  test('is total: it takes a candidate, skips, or says why it stops', () => {
    fc.assert(
      fc.property(conflicting, preferred, (found, databases) => {
        const decision = strategy.decide(conflictOf(found), ruleFor(strategy, databases));
        if (decision.kind === 'take') expect(winner(decision, found)).not.toBeNull();
        if (decision.kind === 'stop') expect(decision.reason).not.toBe('');
        if (decision.kind === 'merge') expect(decision.values).toHaveLength(3);
      }),
    );
  });

  test('is deterministic, whatever the order of the candidates', () => {
    fc.assert(
      fc.property(
        conflicting.chain((found) => fc.tuple(fc.constant(found), fc.shuffledSubarray([...found], { minLength: found.length }))),
        preferred,
        ([found, shuffled], databases) => {
          const rule = ruleFor(strategy, databases);
          const first = strategy.decide(conflictOf(found), rule);
          expect(strategy.decide(conflictOf(found), rule)).toEqual(first);
          expect(strategy.decide(conflictOf(shuffled), rule)).toEqual(first);
        },
      ),
    );
  });

  test('is idempotent: the winner wins again against any of the losers', () => {
    fc.assert(
      fc.property(conflicting, preferred, (found, databases) => {
        const rule = ruleFor(strategy, databases);
        const first = strategy.decide(conflictOf(found), rule);
        const best = winner(first, found);
        if (best === null || MERGING.includes(strategy.name)) return;
        for (const loser of found.filter(({ member }) => member !== best.member)) {
          expect(strategy.decide(conflictOf([best, loser]), rule)).toEqual(first);
        }
      }),
    );
  });

  test('changes nothing that it is given', () => {
    fc.assert(
      fc.property(conflicting, preferred, (found, databases) => {
        const before = found.map((each) => ({ ...each }));
        strategy.decide(conflictOf(Object.freeze([...found])), ruleFor(strategy, databases));
        expect(found).toEqual(before);
      }),
    );
  });

  test('says what it does, under a name of its own', () => {
    expect(strategy.summary).not.toBe('');
    expect(STRATEGIES.filter(({ name }) => name === strategy.name)).toHaveLength(1);
  });
});

describe.each(STRATEGIES.filter(({ name }) => MERGING.includes(name)).map((strategy) => [strategy.name, strategy] as const))('%s', (_, strategy) => {
  const inCommon = conflicting.filter((found) => found.every(({ op, changes }) => op !== 'delete' && changes?.[0]?.columns !== null));

  function madeOf(conflict: Conflict, decision: Decision): readonly (string | null)[] | undefined {
    return decision.kind === 'merge' ? decision.values : decision.kind === 'take' ? conflict.rows?.rowOf(decision.member).values : undefined;
  }

  test('is idempotent: what was made of several stays what it is when it meets one of them again', () => {
    fc.assert(
      fc.property(inCommon, preferred, (found, databases) => {
        const rule = ruleFor(strategy, databases);
        const conflict = conflictOf(found);
        const made = madeOf(conflict, strategy.decide(conflict, rule)) ?? [];
        for (const { member: base } of found) {
          for (const loser of found.filter(({ member }) => member !== base)) {
            const whole: Version = { ...loser, member: base, changes: found.flatMap(({ changes = [] }) => changes), at: 9n };
            const again = {
              candidates: [whole, loser],
              databases: DATABASES,
              rows: {
                columns: ['id', 'what', 'n'],
                rowOf: (member: number) =>
                  member === base ? { isPresent: true, values: made } : (conflict.rows?.rowOf(member) ?? { isPresent: false, values: [] }),
                contains: (member: number, change: { member: number }) => member === base || member === change.member,
              },
            };
            // Where a second rule chooses between whole rows, the rest is what that says.
            const isWhole = rule.strategy === 'counters' && rule.otherwise.strategy !== 'columns';
            const remade = madeOf(again, strategy.decide(again, rule)) ?? [];
            expect(remade.slice(isWhole ? 2 : 0)).toEqual(made.slice(isWhole ? 2 : 0));
          }
        }
      }),
    );
  });

  test('a column that one of them changed is as that one left it, and a counter is the sum of all', () => {
    fc.assert(
      fc.property(inCommon, preferred, (found, databases) => {
        const rule = ruleFor(strategy, databases);
        const conflict = conflictOf(found);
        const made = madeOf(conflict, strategy.decide(conflict, rule)) ?? [];
        const changers = found.filter(({ changes }) => changes?.[0]?.columns?.includes('what'));
        const merges = rule.strategy === 'columns' || (rule.strategy === 'counters' && rule.otherwise.strategy === 'columns');
        if (merges && changers.length === 1) expect(made[1]).toBe(conflict.rows?.rowOf(changers[0]?.member ?? 0).values[1]);
        if (merges && changers.length === 0) expect(made[1]).toBe('common');
        const sum = found.reduce((total, { changes }) => total + Number(changes?.[0]?.amounts['n']), 10);
        if (rule.strategy === 'counters') expect(made[2]).toBe(String(sum));
      }),
    );
  });
});

describe('ties go by the order of the config', () => {
  const tie: readonly Version[] = [1, 3, 4].map((member) => ({ member, pendingAt: 1, at: 7n, op: 'update', image: `row of ${member}`, names: null }));

  test.each(STRATEGIES.filter(({ name }) => name.endsWith('update-wins')).map((strategy) => [strategy.name, strategy] as const))('%s', (_, strategy) => {
    expect(strategy.decide(conflictOf(tie), ruleFor(strategy, []))).toEqual({ kind: 'take', member: 1 });
  });

  test('prefer: those that the rule does not name come after those that it does', () => {
    const decide = (databases: readonly string[]): Decision =>
      settle({ key: ['1'], versions: pendingEverywhere(tie) }, { rule: { strategy: 'prefer', databases }, databases: DATABASES }).decision;
    expect(decide(['east', 'centre'])).toEqual({ kind: 'take', member: 4 });
    expect(decide(['east'])).toEqual({ kind: 'take', member: 1 });
  });
});

/** Nobody has seen any of them. */
function pendingEverywhere(versions: readonly Version[]): readonly Version[] {
  return versions.map((each) => ({ ...each, pendingAt: 31 & ~(1 << each.member) }));
}

describe('who is a candidate', () => {
  test('a version whose maker has seen another dominates it', () => {
    const seen: Version = { member: 0, pendingAt: 0b100, at: 9n, op: 'update', image: 'old', names: null };
    const later: Version = { member: 1, pendingAt: 0b101, at: 1n, op: 'update', image: 'new', names: null };
    expect(candidates([seen, later])).toEqual([later]);
  });

  test('of versions that nobody else has seen, all are, and it is a conflict where their rows differ', () => {
    fc.assert(
      fc.property(conflicting, (found) => {
        expect(candidates(pendingEverywhere(found))).toHaveLength(found.length);
        expect(isConflict(found)).toBe(new Set(found.map(({ image }) => image)).size > 1);
      }),
    );
  });

  test('rows that are the same are no conflict, and none is recorded', () => {
    const versions = pendingEverywhere([0, 1].map((member) => ({ member, pendingAt: 1, at: BigInt(member), op: 'update', image: 'same', names: null })));
    const settled = settle({ key: ['1'], versions }, { rule: { strategy: 'stop' }, databases: DATABASES });
    expect(settled).toMatchObject({ isConflict: false, decision: { kind: 'take', member: 0 } });
  });

  test('a circle is an error, not a choice', () => {
    const circle: readonly Version[] = [0, 1, 2].map((member) => ({
      member,
      pendingAt: 1 << ((member + 1) % 3),
      at: 1n,
      op: 'update',
      image: String(member),
      names: null,
    }));
    expect(() => settle({ key: ['1'], versions: circle }, { rule: { strategy: 'last-update-wins' }, databases: DATABASES })).toThrow('circle');
  });
});
