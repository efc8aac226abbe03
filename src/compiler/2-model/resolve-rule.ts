import type { ConflictChoice, ConflictRuleConfig, MergeRule } from '../../index.ts';
import type { ColumnsRule, ConflictRule, PlainRule } from '../../plan/conflict-rule.ts';
import type { ExtractedHandlers } from '../1-load/handlers/extract-handlers.ts';

/** The rule that the config gives, as the plan holds it; null for none. */
export function resolveRule(choice: ConflictRuleConfig | undefined, handlers: ExtractedHandlers): ConflictRule | null {
  if (choice === undefined) return null;
  if (typeof choice === 'function') return handlers.get(choice)?.rule ?? null;
  return isMergeRule(choice) ? mergeRule(choice) : plainRule(choice);
}

/** A rule that makes a row of several versions, not of one. */
export function isMergeRule(choice: ConflictRuleConfig): choice is MergeRule {
  return typeof choice === 'object' && !Array.isArray(choice);
}

function mergeRule({ counters, columns, otherwise }: MergeRule): ConflictRule {
  const plain = plainRule(otherwise);
  const rest: PlainRule | ColumnsRule = columns === undefined ? plain : { strategy: 'columns', otherwise: plain };
  return counters === undefined ? rest : { strategy: 'counters', counters, otherwise: rest };
}

function plainRule(choice: ConflictChoice): PlainRule {
  return typeof choice === 'string' ? { strategy: choice } : { strategy: 'prefer', databases: choice };
}
