import { firstUpdateWins } from './strategies/first-update-wins.ts';
import { lastUpdateWins } from './strategies/last-update-wins.ts';
import { prefer } from './strategies/prefer.ts';
import { skip } from './strategies/skip.ts';
import { stop } from './strategies/stop.ts';
import type { Strategy } from './strategy.ts';

/** Every strategy. */
export const STRATEGIES: readonly Strategy[] = [lastUpdateWins, firstUpdateWins, prefer, skip, stop];

/** @throws Error when the plan names one that this version does not have; its schema allows no such plan. */
export function strategyNamed(name: string): Strategy {
  const found = STRATEGIES.find((strategy) => strategy.name === name);
  if (found === undefined) throw new Error(`there is no strategy ${name}`);
  return found;
}
