import { displayName } from '../../sql/quote.ts';
import { parseSeal, type RecordedSeal, type Seal, type SealedRelation } from './seal.ts';

/** Why changes of a table may have gone by uncaptured. */
export type SealBreak = {
  readonly reasons: readonly string[];
  /** Only partitions came: then their rows are all that is not known. */
  readonly newPartitions: readonly SealedRelation[] | null;
  /** No table has the name: nothing can be said, and nothing is lost while its triggers go with it. */
  readonly isGone: boolean;
};

/** Compares what apply left with what the catalog says now; null when nothing can have gone by. */
export function sealBreak(recorded: RecordedSeal | undefined, foundText: string): SealBreak | null {
  if (recorded?.text === foundText && recorded.brokenReason === null) return null;
  const found = parseSeal(foundText);
  if (!recorded) return broken(['what apply left of its capture was not recorded']);
  if (found.table === null) return { ...broken(['no table has its name any more']), isGone: true };
  const left = parseSeal(recorded.text);
  const noticed = recorded.brokenReason?.split('\n') ?? [];
  const reasons = [...new Set([...changes(left, found), ...noticed])];
  const known = new Set(left.relations.map(({ oid }) => oid));
  const added = left.table === found.table ? found.relations.filter(({ oid }) => !known.has(oid)) : [];
  if (reasons.length === 0 && added.length === 0) return null;
  const news = added.map((relation) => partitionIsNew(relation));
  const isOnlyNews = reasons.every((reason) => news.includes(reason));
  return { reasons: [...new Set([...reasons, ...news])], newPartitions: isOnlyNews ? added : null, isGone: false };
}

/** The reasons as `sarrio.seal` keeps them: they are compared with what is found later. */
export function brokenReason({ reasons }: SealBreak): string {
  return reasons.join('\n');
}

/** The reasons in one line. */
export function breakText({ reasons }: SealBreak): string {
  const more = reasons.length > SHOWN ? `; and ${reasons.length - SHOWN} more` : '';
  return `${reasons.slice(0, SHOWN).join('; ')}${more}`;
}

const SHOWN = 3;

function broken(reasons: readonly string[]): SealBreak {
  return { reasons, newPartitions: null, isGone: false };
}

function partitionIsNew(relation: SealedRelation): string {
  return `partition ${displayName(relation)} is new: rows that it brought, and what is written to it by its name, were not captured`;
}

function changes(left: Seal, found: Seal): readonly string[] {
  if (left.table !== found.table) return ['the table was dropped or renamed, and another one has its name now'];
  const now = new Map(found.relations.map((relation) => [relation.oid, relation]));
  const ofDelta = left.delta === found.delta ? [] : ['its delta table was dropped'];
  return [
    ...ofDelta,
    ...left.relations.flatMap((relation) => relationChanges({ left: relation, found: now.get(relation.oid), isTable: relation.oid === left.table })),
  ];
}

type Pair = { readonly left: SealedRelation; readonly found: SealedRelation | undefined; readonly isTable: boolean };

function relationChanges({ left, found, isTable }: Pair): readonly string[] {
  const name = isTable ? 'the table' : `partition ${displayName(left)}`;
  if (!found) return [`${name} was detached or dropped, and no trigger fires for its rows`];
  return [
    ...(left.joined === found.joined ? [] : [`${name} was detached and attached again`]),
    ...(left.persistence === found.persistence ? [] : [`${name} is ${found.persistence === 'u' ? 'unlogged: a crash empties it' : 'logged again'}`]),
    ...(left.hierarchy || !found.hierarchy ? [] : [`${name} has a parent or heirs now: statements on a parent are not captured`]),
    ...triggerChanges({ left, found, isTable }),
  ];
}

function triggerChanges({ left, found, isTable }: Pair): readonly string[] {
  const now = new Map((found?.triggers ?? []).map((trigger) => [trigger[0], trigger]));
  const place = isTable ? '' : ` on ${displayName(left)}`;
  return left.triggers.flatMap(([name, state, version, calls]) => {
    const trigger = now.get(name);
    if (!trigger) return [`trigger ${name}${place} is gone`];
    if (trigger[1] !== state) return [`trigger ${name}${place} is ${STATES[trigger[1]] ?? 'changed'}`];
    if (trigger[2] !== version) return [`trigger ${name}${place} was disabled for a time or changed`];
    return trigger[3] === calls ? [] : [`the function of trigger ${name}${place} was changed`];
  });
}

/** `pg_trigger.tgenabled` */
const STATES: Readonly<Record<string, string>> = { D: 'disabled', R: 'enabled for replicas only', A: 'enabled always', O: 'not enabled always any more' };
