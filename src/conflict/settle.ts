import { candidates, isConflict } from './candidates.ts';
import type { ConflictRule } from '../plan/conflict-rule.ts';
import type { Decision } from './strategy.ts';
import { strategyNamed } from './strategies.ts';
import type { ContestedKey, Version } from './version.ts';

/** What a round does about a contested key. Without a conflict the row of the one candidate (or of several that are the same) goes to everybody. */
export type Settled = {
  readonly key: ContestedKey;
  readonly candidates: readonly Version[];
  readonly isConflict: boolean;
  readonly decision: Decision;
};

/** Settles a contested key by the table's rule. Pure: the same versions give the same answer, on whatever runner. */
export function settle(key: ContestedKey, { rule, databases }: { rule: ConflictRule; databases: readonly string[] }): Settled {
  const found = candidates(key.versions);
  const [first] = found;
  if (first === undefined) throw new Error(`the versions of key ${JSON.stringify(key.key)} dominate each other in a circle`);
  if (!isConflict(found)) return { key, candidates: found, isConflict: false, decision: { kind: 'take', member: first.member } };
  return { key, candidates: found, isConflict: true, decision: strategyNamed(rule.strategy).decide({ candidates: found, databases }, rule) };
}

/** `update/delete`, in the order of the members. */
export function conflictKind(found: readonly Version[]): string {
  return found.map(({ op }) => op).join('/');
}
