import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { candidates, isConflict } from '../../src/conflict/candidates.ts';
import { settle } from '../../src/conflict/settle.ts';
import { STRATEGIES } from '../../src/conflict/strategies.ts';
import type { Decision, Strategy } from '../../src/conflict/strategy.ts';
import type { Version } from '../../src/conflict/version.ts';
import type { NamedRule } from '../../src/plan/conflict-rule.ts';

/** What every strategy has to keep to, so that a conflict is decided the same way wherever and however often it is looked at. */

const DATABASES = ['east', 'west', 'north', 'south', 'centre'];

/** Few times, so that ties are common. */
const version = fc.record({ at: fc.bigInt(1n, 4n), op: fc.constantFrom('insert', 'update', 'delete'), image: fc.constantFrom('', 'a', 'b', 'c') });

/** Two candidates or more, each of another member, ordered by member. */
const conflicting = fc
  .tuple(fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 2 }), fc.array(version, { minLength: 5, maxLength: 5 }))
  .map(([members, versions]) =>
    [...members]
      .sort((a, b) => a - b)
      .flatMap((member, place) => versions.slice(place, place + 1).map((each): Version => ({ member, pendingAt: 31 & ~(1 << member), names: null, ...each }))),
  );

const preferred = fc.shuffledSubarray(DATABASES);

function ruleFor({ name }: Strategy, databases: readonly string[]): NamedRule {
  return name === 'prefer' ? { strategy: name, databases } : { strategy: name };
}

function winner(decision: Decision, found: readonly Version[]): Version | null {
  return decision.kind === 'take' ? (found.find(({ member }) => member === decision.member) ?? null) : null;
}

describe.each(STRATEGIES.map((strategy) => [strategy.name, strategy] as const))('%s', (_, strategy) => {
  test('is total: it takes a candidate, skips, or says why it stops', () => {
    fc.assert(
      fc.property(conflicting, preferred, (found, databases) => {
        const decision = strategy.decide({ candidates: found, databases: DATABASES }, ruleFor(strategy, databases));
        if (decision.kind === 'take') expect(winner(decision, found)).not.toBeNull();
        if (decision.kind === 'stop') expect(decision.reason).not.toBe('');
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
          const first = strategy.decide({ candidates: found, databases: DATABASES }, rule);
          expect(strategy.decide({ candidates: found, databases: DATABASES }, rule)).toEqual(first);
          expect(strategy.decide({ candidates: shuffled, databases: DATABASES }, rule)).toEqual(first);
        },
      ),
    );
  });

  test('is idempotent: the winner wins again against any of the losers', () => {
    fc.assert(
      fc.property(conflicting, preferred, (found, databases) => {
        const rule = ruleFor(strategy, databases);
        const first = strategy.decide({ candidates: found, databases: DATABASES }, rule);
        const best = winner(first, found);
        if (best === null) return;
        for (const loser of found.filter(({ member }) => member !== best.member)) {
          expect(strategy.decide({ candidates: [best, loser], databases: DATABASES }, rule)).toEqual(first);
        }
      }),
    );
  });

  test('changes nothing that it is given', () => {
    fc.assert(
      fc.property(conflicting, preferred, (found, databases) => {
        const before = found.map((each) => ({ ...each }));
        strategy.decide({ candidates: Object.freeze([...found]), databases: DATABASES }, ruleFor(strategy, databases));
        expect(found).toEqual(before);
      }),
    );
  });

  test('says what it does, under a name of its own', () => {
    expect(strategy.summary).not.toBe('');
    expect(STRATEGIES.filter(({ name }) => name === strategy.name)).toHaveLength(1);
  });
});

describe('ties go by the order of the config', () => {
  const tie: readonly Version[] = [1, 3, 4].map((member) => ({ member, pendingAt: 1, at: 7n, op: 'update', image: `row of ${member}`, names: null }));

  test.each(STRATEGIES.filter(({ name }) => name.endsWith('update-wins')).map((strategy) => [strategy.name, strategy] as const))('%s', (_, strategy) => {
    expect(strategy.decide({ candidates: tie, databases: DATABASES }, ruleFor(strategy, []))).toEqual({ kind: 'take', member: 1 });
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
