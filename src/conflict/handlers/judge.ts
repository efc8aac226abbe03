import { type AnswerMessage, type HandlerConflict, type HandlerShape, type HandlerVersion, keyText } from './message.ts';
import { type Given, mergedValues } from './merged-values.ts';
import type { RowValues } from './answers.ts';
import { kindOf } from './conflict.ts';

/** What a handler decided, in the round's terms. */
export type HandlerDecision =
  | { readonly kind: 'take'; readonly member: number }
  /** A full row in the plan's order: the latest one there is, with the columns that the handler gave. */
  | { readonly kind: 'merge'; readonly values: readonly (string | null)[] }
  | { readonly kind: 'remove' }
  | { readonly kind: 'skip' };

/** A conflict that stays undecided. Its table has to wait for a person. */
export type HandlerFailure = {
  readonly kind: 'failure';
  /** `not-run`: of the same table and the same call as one that hung or ran out of memory. */
  readonly reason: 'threw' | 'hung' | 'memory' | 'nonsense' | 'not-run';
  readonly table: string;
  readonly key: RowValues;
  /** `update/delete`. */
  readonly conflict: string;
  readonly message: string;
  /** Where in the handler's file, innermost first: `byTotal (generated/handlers/shop.mjs:12:5)`. */
  readonly stack: readonly string[];
};

/** What is wrong with one conflict's handling, before it is said whose. */
export type Fault = Pick<HandlerFailure, 'reason' | 'message' | 'stack'>;

export function failureOf(shape: HandlerShape, conflict: HandlerConflict, fault: Fault): HandlerFailure {
  return {
    kind: 'failure',
    table: shape.table,
    key: keyText(shape, conflict.key),
    conflict: kindOf(conflict.versions.map(({ op }) => op)),
    ...fault,
  };
}

/** One text for logs and errors: which row, what happened, where. */
export function failureText({ table, key, conflict, message, stack }: HandlerFailure): string {
  const shownKey = Object.entries(key).map(([name, value]) => `${name} = ${String(value)}`);
  return [`handler of ${table}, key ${shownKey.join(', ')}, ${conflict}: ${message}`, ...stack.map((line) => `  at ${line}`)].join('\n');
}

/** Holds what a handler returned against what is there: only databases that take part, only columns that exist, values that fit, the same key. */
export function judge(shape: HandlerShape, conflict: HandlerConflict, answer: AnswerMessage): HandlerDecision | HandlerFailure {
  switch (answer.kind) {
    case 'take':
      return judgeTake(shape, conflict, answer.database);
    case 'merge':
      return judgeMerge(shape, conflict, answer.values);
    case 'remove':
    case 'skip':
      return { kind: answer.kind };
    case 'keep':
    case 'retry':
    case 'park':
    case 'stop':
      return nonsense(shape, conflict, `it returned ${answer.kind}(…), which is for onException; a conflict takes take(…), merge(…), remove() or skip()`);
    case 'nonsense':
      return nonsense(shape, conflict, `it returned ${answer.shown}, not take(…), merge(…), remove() or skip()`);
    default:
      return answer satisfies never;
  }
}

function judgeTake(shape: HandlerShape, conflict: HandlerConflict, database: string | null): HandlerDecision | HandlerFailure {
  const found = conflict.versions.find(({ member }) => shape.databases[member] === database);
  if (found) return { kind: 'take', member: found.member };
  if (database === null) return nonsense(shape, conflict, 'take(…) wants the name of a database');
  const names = conflict.versions.map(({ member }) => shape.databases[member]).join(', ');
  const isKnown = shape.databases.includes(database);
  return nonsense(shape, conflict, `take('${database}'): ${isKnown ? 'it takes no part in this conflict' : 'there is no such database'}; there are ${names}`);
}

function judgeMerge(shape: HandlerShape, conflict: HandlerConflict, given: Given): HandlerDecision | HandlerFailure {
  const base = latestRow(conflict.versions);
  if (!base) return nonsense(shape, conflict, 'merge(…): the row was deleted everywhere, there is none to merge into');
  const merged = mergedValues(
    shape,
    { base: base.row, key: conflict.key, rows: [...conflict.versions.map(({ row }) => row), ...(conflict.common ? [conflict.common] : [])] },
    given,
  );
  return 'fault' in merged ? nonsense(shape, conflict, merged.fault) : { kind: 'merge', values: merged.values };
}

/** At the same microsecond the first in the order of members, as everywhere. */
function latestRow(versions: readonly HandlerVersion[]): HandlerVersion | null {
  const present = versions.filter(({ row }) => row.isPresent);
  return present.reduce<HandlerVersion | null>((best, each) => (best === null || each.at > best.at ? each : best), null);
}

function nonsense(shape: HandlerShape, conflict: HandlerConflict, message: string): HandlerFailure {
  return failureOf(shape, conflict, { reason: 'nonsense', message, stack: [] });
}
