import type { RowText } from '../row-text.ts';
import { type Operation, timeText } from './conflict.ts';
import type { FailureError } from './failure.ts';
import type { Fault, HandlerFailure } from './judge.ts';
import { judgeChanges, type JudgedChange } from './judge-changes.ts';
import { type AnswerMessage, type HandlerShape, keyMessage, keyText, type MessageRow, rowMessage } from './message.ts';

/** What a member that is up holds of a row. */
export type HeldRow = {
  /** Index in the sync's databases. */
  readonly member: number;
  readonly row: RowText;
  /** Microseconds since 1970, and what the changes came to; null where everybody has heard of them. */
  readonly at: bigint | null;
  readonly op: Operation | null;
};

/** A row by its key's columns as text, in the order of the shape's `key`. */
export type KeyedRow = { readonly key: readonly string[]; readonly row: RowText };

/** A row that a member does not take, what is in its way there, and what the members that are up hold of all of them. */
export type HandlerException = {
  /** The key's columns as text, in the order of the shape's `key`. */
  readonly key: readonly string[];
  /** Index in the sync's databases. */
  readonly member: number;
  readonly error: FailureError;
  readonly tries: number;
  readonly arriving: RowText;
  readonly inTheWay: readonly (KeyedRow & { readonly rows: readonly HeldRow[] })[];
  readonly rows: readonly HeldRow[];
};

/** A `Failure` as JSON. */
export type FailureMessage = {
  readonly hook: 'onException';
  readonly table: string;
  readonly key: MessageRow;
  readonly database: string;
  readonly error: FailureError;
  readonly tries: number;
  readonly arriving: MessageRow | null;
  readonly inTheWay: readonly { readonly key: MessageRow; readonly row: MessageRow | null; readonly rows: readonly VersionMessage[] }[];
  readonly rows: readonly VersionMessage[];
};

type VersionMessage = {
  readonly database: string;
  readonly row: MessageRow | null;
  readonly time: string | null;
  readonly timeMicros: string | null;
  readonly operation: Operation | null;
};

/** What becomes of the row, in the round's terms. */
export type ExceptionDecision =
  | { readonly kind: 'retry'; readonly changes: readonly JudgedChange[] }
  | { readonly kind: 'park' }
  | { readonly kind: 'stop' }
  | { readonly kind: 'keep'; readonly member: number };

/** So many times in a row the same may be tried again. */
export const MOST_TRIES = 3;

/** The failure as the handler is told it. */
export function failureMessage(shape: HandlerShape, exception: HandlerException): FailureMessage {
  const { key, member, error, tries, arriving, inTheWay, rows } = exception;
  const version = (each: HeldRow): VersionMessage => ({
    database: shape.databases[each.member] ?? '',
    row: rowMessage(shape, each.row),
    time: each.at === null ? null : timeText(each.at),
    timeMicros: each.at === null ? null : String(each.at),
    operation: each.op,
  });
  return {
    hook: 'onException',
    table: shape.table,
    key: keyMessage(shape, key),
    database: shape.databases[member] ?? '',
    error,
    tries,
    arriving: rowMessage(shape, arriving),
    inTheWay: inTheWay.map((each) => ({ key: keyMessage(shape, each.key), row: rowMessage(shape, each.row), rows: each.rows.map(version) })),
    rows: rows.map(version),
  };
}

/** The failing table's shape, and those of all tables of its sync, whose rows a handler may change. */
export type ExceptionShapes = { readonly shape: HandlerShape; readonly shapes: readonly HandlerShape[] };

/** Holds what a handler returned against what is there: only databases that are up, rows of the sync's tables, and no trying again for ever. */
export function judgeException({ shape, shapes }: ExceptionShapes, exception: HandlerException, answer: AnswerMessage): ExceptionDecision | HandlerFailure {
  switch (answer.kind) {
    case 'park':
    case 'stop':
      return { kind: answer.kind };
    case 'retry': {
      if (exception.tries >= MOST_TRIES) return nonsense(shape, exception, `it returned retry() for the ${MOST_TRIES + 1}th time in a row`);
      const shown = [
        exception.arriving,
        ...exception.rows.map(({ row }) => row),
        ...exception.inTheWay.flatMap(({ row, rows }) => [row, ...rows.map((each) => each.row)]),
      ];
      const judged = judgeChanges(shapes, answer.changes, { table: shape.table, rows: shown });
      return 'fault' in judged ? nonsense(shape, exception, judged.fault) : { kind: 'retry', changes: judged.changes };
    }
    case 'keep': {
      const found = exception.rows.find(({ member }) => shape.databases[member] === answer.database);
      if (found) return { kind: 'keep', member: found.member };
      const names = exception.rows.map(({ member }) => shape.databases[member]).join(', ');
      const given = answer.database === null ? '…' : `'${answer.database}'`;
      return nonsense(shape, exception, `keep(${given}) wants the name of a database that is up; there are ${names}`);
    }
    default: {
      const shown = answer.kind === 'nonsense' ? answer.shown : `${answer.kind}(…)`;
      return nonsense(shape, exception, `it returned ${shown}, not retry(…), keep(…), park() or stop()`);
    }
  }
}

export function exceptionFailure(shape: HandlerShape, { key, error }: Pick<HandlerException, 'key' | 'error'>, fault: Fault): HandlerFailure {
  return { kind: 'failure', table: shape.table, key: keyText(shape, key), conflict: `error ${error.code}`, ...fault };
}

function nonsense(shape: HandlerShape, exception: HandlerException, message: string): HandlerFailure {
  return exceptionFailure(shape, exception, { reason: 'nonsense', message, stack: [] });
}
