import type { PlainRule } from '../../plan/conflict-rule.ts';
import type { Conflict, Decision, Strategy } from '../strategy.ts';
import { firstUpdateWins } from './first-update-wins.ts';
import { lastUpdateWins } from './last-update-wins.ts';
import { prefer } from './prefer.ts';
import { skip } from './skip.ts';
import { stop } from './stop.ts';

/** Strategies that choose one version, or none: what others fall back to. */
export const PLAIN_STRATEGIES: readonly Strategy[] = [lastUpdateWins, firstUpdateWins, prefer, skip, stop];

export function decidePlainly(conflict: Conflict, rule: PlainRule): Decision {
  const found = PLAIN_STRATEGIES.find(({ name }) => name === rule.strategy);
  if (found === undefined) throw new Error(`there is no strategy ${rule.strategy}`);
  return found.decide(conflict, rule);
}
