import { afterAll, describe, expect, test } from 'vitest';
import { DEEP, EXPLORATIONS } from './explorations.ts';
import { explore } from './explore.ts';
import { MUTANTS } from './mutants.ts';
import { share } from '../support/share.ts';
import { budgetOf, startOf } from './explorations.ts';

/**
 * Every way that rounds, applications, crashes and lost commits can interleave, to the depth that each name says; after each state
 * everybody comes up, one round has to bring everything everywhere, and a second one must find nothing. SARRIO_DEEP=1 goes further.
 */

const visited: string[] = [];
afterAll(() => console.log(`states visited\n${visited.join('\n')}`));

describe('masters converge', () => {
  test.each(process.env['SARRIO_DEEP'] === undefined ? EXPLORATIONS : [...EXPLORATIONS, ...DEEP])(
    '$name',
    async (exploration) => {
      const { states, rounds, violation } = await explore(exploration);
      visited.push(`  ${exploration.name}: ${states} states, ${rounds} rounds`);
      expect(violation).toBeNull();
    },
    3_600_000,
  );
});

describe('a protocol with one thing wrong is found out', () => {
  test.each(share(MUTANTS, 2))('$name', async ({ name, start, budget, finds, ...rest }) => {
    const { violation } = await explore({ name, start: startOf(start), budget: budgetOf(budget), ...rest });
    expect(violation).toMatch(finds);
  });
});
