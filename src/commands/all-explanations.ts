import { RULES } from '../compiler/3-check/rules.ts';
import type { Explanation } from '../explain/explanation.ts';
import { EXPLANATIONS } from '../explain/explanations.ts';
import { byCodeUnit } from '../plan/canonical.ts';

/** Every code that anything of ours can say, by code: the checks of the compiler, which explain themselves, and all others. */
export function allExplanations(): readonly Explanation[] {
  return [...EXPLANATIONS, ...RULES].sort((one, other) => byCodeUnit(one.code, other.code));
}
