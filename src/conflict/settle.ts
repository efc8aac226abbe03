import { kindOf } from './handlers/conflict.ts';
import { candidates, isConflict } from './candidates.ts';
import { addable } from './addable.ts';
import type { Change, Contains } from './change.ts';
import type { ConflictRule, NamedRule } from '../plan/conflict-rule.ts';
import type { ConflictRows, Decision, Overruled } from './strategy.ts';
import { addsUp } from './strategies/counters.ts';
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

/** Where changes add up, rows that look the same may still be a conflict: both have sold one. */
export function judgeKeyBy(key: ContestedKey, { rule, contains }: { rule: ConflictRule; contains: Contains }): Judged {
  const judged = judgeKey(key);
  return rule.strategy === 'counters' && !judged.isConflict ? { ...judged, isConflict: addsUp(judged.candidates, contains) } : judged;
}

/** Without a conflict the row of the one candidate (or of several that are the same) goes to everybody. */
export function withoutConflict(judged: Judged): Settled {
  return { ...judged, decision: { kind: 'take', member: judged.candidates[0]?.member ?? 0 } };
}

/** Settles a contested key by a named rule. `rows` for those that make a row of several. */
export function settle(key: ContestedKey, by: { rule: NamedRule; databases: readonly string[]; rows?: ConflictRows }): Settled {
  return settleJudged(judgeKey(key), by);
}

export function settleJudged(
  judged: Judged,
  { rule, databases, rows }: { rule: NamedRule; databases: readonly string[]; rows?: ConflictRows | undefined },
): Settled {
  if (!judged.isConflict) return withoutConflict(judged);
  const { candidates: found } = judged;
  const conflict = { candidates: found, databases, ...(rows === undefined ? {} : { rows }) };
  return { ...judged, decision: strategyNamed(rule.strategy).decide(conflict, rule) };
}

/**
 * In a ring two rounds may decide one conflict, neither knowing of the other. They choose by the changes alone, never by where these are met:
 * by time, at the same time by the rows themselves. So outcomes that meet later are the same, or one of them comes before the other
 * everywhere. Of rows that are the same, too, the one that the rule would choose says since when the row is there.
 */
export function settleInRing(judged: Judged, { strategy }: ConflictRule): Settled {
  const comesBefore = (one: Version, other: Version): boolean => {
    if (one.at !== other.at) return strategy === 'first-update-wins' ? one.at < other.at : one.at > other.at;
    return one.image === other.image ? one.member < other.member : one.image > other.image;
  };
  const winner = judged.candidates.reduce((best, each) => (comesBefore(each, best) ? each : best));
  return { ...judged, decision: { kind: 'take', member: winner.member } };
}

/**
 * The changes that the settled row is made of and that a member does not have yet: what its entry has to tell those that are away, so
 * that none of them is merged or added a second time, nor missed.
 */
export function carriedTo(member: number, { candidates: found, decision }: Settled, contains: Contains): readonly Change[] {
  const base = decision.kind === 'take' ? decision.member : decision.kind === 'merge' ? (decision.base ?? found[0]?.member) : undefined;
  const made = found.find((version) => version.member === base)?.changes ?? [];
  const added = base === undefined ? [] : addable(found, base, contains);
  const news = [...made, ...added].filter((change) => contains(member, change) !== true);
  return withoutOverruled(news, 'overruled' in decision ? decision.overruled : undefined);
}

/** Overruled changes are told of also where they are known, without the columns in which they were not chosen. */
function withoutOverruled(news: readonly Change[], overruled: Overruled = new Map()): readonly Change[] {
  const all = new Map(news.map((change) => [nameOf(change), change]));
  for (const [column, changes] of overruled) {
    for (const each of changes) {
      const change = all.get(nameOf(each)) ?? each;
      all.set(nameOf(each), { ...change, columns: change.columns?.filter((name) => name !== column) ?? null });
    }
  }
  return [...all.values()];
}

function nameOf({ member, xid }: Change): string {
  return `${member} ${xid}`;
}

/** `update/delete`, in the order of the members. */
export function conflictKind(found: readonly Version[]): string {
  return kindOf(found.map(({ op }) => op));
}
