import type { RowText } from '../row-text.ts';
import { timeText } from './conflict.ts';
import type { Fault, HandlerFailure } from './judge.ts';
import { mergedValues } from './merged-values.ts';
import { type AnswerMessage, type HandlerShape, keyMessage, keyText, type MessageRow, rowMessage } from './message.ts';

/** Two rows that hold one unique value, the earlier one first. */
export type HandlerClash = { readonly index: string; readonly rows: readonly [earlier: HandlerClashRow, later: HandlerClashRow] };

export type HandlerClashRow = {
  /** Index in the sync's databases. */
  readonly member: number;
  /** Microseconds since 1970; null when everybody has heard of it. */
  readonly at: bigint | null;
  /** The key's columns as text, in the order of the shape's `key`. */
  readonly key: readonly string[];
  readonly row: RowText;
};

/** A `UniqueClash` as JSON. */
export type ClashMessage = { readonly hook: 'onUnique'; readonly table: string; readonly index: string; readonly rows: readonly ClashMessageRow[] };

type ClashMessageRow = {
  readonly database: string;
  readonly key: MessageRow;
  readonly row: MessageRow | null;
  readonly time: string | null;
  readonly timeMicros: string | null;
};

/** What becomes of the two rows: which of them are parked, or how the later one is changed. */
export type ClashDecision =
  | { readonly kind: 'park'; readonly places: readonly (0 | 1)[] }
  /** A full row in the plan's order. */
  | { readonly kind: 'change'; readonly values: readonly (string | null)[] }
  | { readonly kind: 'stop' };

export function clashMessage(shape: HandlerShape, { index, rows }: HandlerClash): ClashMessage {
  return {
    hook: 'onUnique',
    table: shape.table,
    index,
    rows: rows.map(({ member, at, key, row }) => ({
      database: shape.databases[member] ?? '',
      key: keyMessage(shape, key),
      row: rowMessage(shape, row),
      time: at === null ? null : timeText(at),
      timeMicros: at === null ? null : String(at),
    })),
  };
}

/** Holds what a handler returned against what is there. Of two rows of one database the earlier one is meant. */
export function judgeClash(shape: HandlerShape, clash: HandlerClash, answer: AnswerMessage): ClashDecision | HandlerFailure {
  const [earlier, later] = clash.rows;
  switch (answer.kind) {
    case 'park':
      return { kind: 'park', places: [0, 1] };
    case 'stop':
      return { kind: 'stop' };
    case 'keep': {
      const kept = clash.rows.findIndex(({ member }) => shape.databases[member] === answer.database);
      if (kept >= 0) return { kind: 'park', places: [kept === 0 ? 1 : 0] };
      const names = [...new Set([earlier, later].map(({ member }) => shape.databases[member]))].join(', ');
      const given = answer.database === null ? '…' : `'${answer.database}'`;
      return nonsense(shape, clash, `keep(${given}) wants the name of the database of one of the rows; there are ${names}`);
    }
    case 'merge': {
      const merged = mergedValues(shape, { base: later.row, key: later.key, rows: [] }, answer.values);
      if ('fault' in merged) return nonsense(shape, clash, merged.fault);
      const isSame = merged.values.every((value, place) => value === later.row.values[place]);
      return isSame ? nonsense(shape, clash, 'merge(…) changes nothing, and the rows still hold one value') : { kind: 'change', values: merged.values };
    }
    default:
      return nonsense(shape, clash, `it returned ${answer.kind === 'nonsense' ? answer.shown : `${answer.kind}(…)`}, not keep(…), merge(…), park() or stop()`);
  }
}

export function clashFailure(shape: HandlerShape, { index, rows }: HandlerClash, fault: Fault): HandlerFailure {
  return { kind: 'failure', table: shape.table, key: keyText(shape, rows[1].key), conflict: `unique ${index}`, ...fault };
}

function nonsense(shape: HandlerShape, clash: HandlerClash, message: string): HandlerFailure {
  return clashFailure(shape, clash, { reason: 'nonsense', message, stack: [] });
}
