import type { RowText } from '../row-text.ts';
import type { RowValues } from './answers.ts';
import { kindOf, type Operation, timeText } from './conflict.ts';
import { type EncodedValue, type MessageValue, handlerValue } from './values.ts';

/** A column as the plan has it: its name, and its type as `format_type` says it. */
export type HandlerColumn = { readonly name: string; readonly type: string };

/** What a handler needs to know of the table. */
export type HandlerShape = {
  /** `public.customers`. */
  readonly table: string;
  /** In the plan's order. */
  readonly columns: readonly HandlerColumn[];
  readonly key: readonly string[];
  /** Columns whose values are not to be shown. */
  readonly masked?: readonly string[];
  /** Databases of the sync, by index. */
  readonly databases: readonly string[];
};

/** One conflict for a handler: all candidates, ordered by member, with their rows. */
export type HandlerConflict = {
  /** The key's columns as text, in the order of the shape's `key`. */
  readonly key: readonly string[];
  readonly versions: readonly HandlerVersion[];
  /** The last row that all of them had; null where nobody knows of one, or the handler does not ask. */
  readonly common?: RowText | null;
};

export type HandlerVersion = {
  /** Index in the sync's databases. */
  readonly member: number;
  /** Microseconds since 1970. */
  readonly at: bigint;
  readonly op: Operation;
  /** The columns in the plan's order. */
  readonly row: RowText;
};

/** A `Conflict` as JSON. */
export type ConflictMessage = {
  readonly table: string;
  readonly key: MessageRow;
  readonly kind: string;
  readonly versions: readonly {
    readonly database: string;
    readonly time: string;
    readonly timeMicros: string;
    readonly operation: Operation;
    readonly row: MessageRow | null;
  }[];
  readonly common: MessageRow | null;
};

export type MessageRow = Readonly<Record<string, MessageValue>>;

/** What a handler returned, as JSON. */
export type AnswerMessage =
  | { readonly kind: 'take'; readonly database: string | null }
  | { readonly kind: 'merge'; readonly values: readonly (readonly [column: string, value: EncodedValue])[] }
  | { readonly kind: 'remove' }
  | { readonly kind: 'skip' }
  | { readonly kind: 'keep'; readonly database: string | null }
  | { readonly kind: 'retry'; readonly changes: readonly ChangeMessage[] }
  | { readonly kind: 'park' }
  | { readonly kind: 'stop' }
  | { readonly kind: 'nonsense'; readonly shown: string };

/** A `RowChange` as JSON. */
export type ChangeMessage = {
  readonly change: 'update' | 'insert' | 'remove';
  readonly table: string;
  readonly key: readonly (readonly [column: string, value: EncodedValue])[];
  readonly values: readonly (readonly [column: string, value: EncodedValue])[];
};

/** The conflict as the handler is told it. */
export function conflictMessage(shape: HandlerShape, { key, versions, common = null }: HandlerConflict): ConflictMessage {
  const { table, databases } = shape;
  return {
    table,
    key: keyMessage(shape, key),
    kind: kindOf(versions.map(({ op }) => op)),
    versions: versions.map(({ member, at, op, row }) => ({
      database: databases[member] ?? '',
      time: timeText(at),
      timeMicros: String(at),
      operation: op,
      row: rowMessage(shape, row),
    })),
    common: common === null ? null : rowMessage(shape, common),
  };
}

/** The key's columns as a handler gets them. */
export function keyMessage({ columns, key: names }: HandlerShape, key: readonly string[]): MessageRow {
  const types = new Map(columns.map(({ name, type }) => [name, type]));
  return Object.fromEntries(names.map((name, index) => [name, handlerValue(key[index] ?? null, types.get(name) ?? 'text')]));
}

/** Null where the row is absent. */
export function rowMessage({ columns }: HandlerShape, { isPresent, values }: RowText): MessageRow | null {
  return isPresent ? Object.fromEntries(columns.map(({ name, type }, index) => [name, handlerValue(values[index] ?? null, type)])) : null;
}

/** The key for messages, as text. */
export function keyText(shape: HandlerShape, key: readonly string[]): RowValues {
  return Object.fromEntries(shape.key.map((name, index) => [name, key[index] ?? null]));
}
