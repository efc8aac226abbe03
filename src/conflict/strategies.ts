import { columns } from './strategies/columns.ts';
import { counters } from './strategies/counters.ts';
import { PLAIN_STRATEGIES } from './strategies/plain.ts';
import type { Strategy } from './strategy.ts';

/** Every strategy. */
export const STRATEGIES: readonly Strategy[] = [...PLAIN_STRATEGIES, columns, counters];

/** @throws Error when the plan names one that this version does not have; its schema allows no such plan. */
export function strategyNamed(name: string): Strategy {
  const found = STRATEGIES.find((strategy) => strategy.name === name);
  if (found === undefined) throw new Error(`there is no strategy ${name}`);
  return found;
}
