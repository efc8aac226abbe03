import type { Fault } from '../1-load/fault.ts';
import type { CheckInput } from './rule.ts';
import { RULES } from './rules.ts';

/** Runs every rule over the model. */
export function checkModel(input: CheckInput): readonly Fault[] {
  return RULES.flatMap(({ code, severity, run }) => run(input).map((finding) => ({ code, severity, ...finding })));
}
