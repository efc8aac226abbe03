import { kindOf } from './handlers/conflict.ts';
import { candidates, isConflict } from './candidates.ts';
import type { NamedRule } from '../plan/conflict-rule.ts';
import type { Decision } from './strategy.ts';
import { strategyNamed } from './strategies.ts';
import type { ContestedKey, Version } from './version.ts';

/** A contested key with what is to be chosen from. Several candidates whose rows are the same are no conflict. */
export type Judged = {
  readonly key: ContestedKey;
  readonly candidates: readonly Version[];
  readonly isConflict: boolean;
};

/** What a round does about a contested key. */
export type Settled = Judged & { readonly decision: Decision };

/** Finds out who may win. Pure: the same versions give the same answer, on whatever runner. */
export function judgeKey(key: ContestedKey): Judged {
  const found = candidates(key.versions);
  if (found.length === 0) throw new Error(`the versions of key ${JSON.stringify(key.key)} dominate each other in a circle`);
  return { key, candidates: found, isConflict: isConflict(found) };
}

/** Without a conflict the row of the one candidate (or of several that are the same) goes to everybody. */
export function withoutConflict(judged: Judged): Settled {
  return { ...judged, decision: { kind: 'take', member: judged.candidates[0]?.member ?? 0 } };
}

/** Settles a contested key by a named rule, from who changed what and when alone. */
export function settle(key: ContestedKey, { rule, databases }: { rule: NamedRule; databases: readonly string[] }): Settled {
  const judged = judgeKey(key);
  if (!judged.isConflict) return withoutConflict(judged);
  return { ...judged, decision: strategyNamed(rule.strategy).decide({ candidates: judged.candidates, databases }, rule) };
}

/** `update/delete`, in the order of the members. */
export function conflictKind(found: readonly Version[]): string {
  return kindOf(found.map(({ op }) => op));
}
