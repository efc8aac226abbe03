import type { RowText } from '../row-text.ts';
import type { FailureError } from './failure.ts';
import type { Fault, HandlerFailure } from './judge.ts';
import { type AnswerMessage, type HandlerShape, keyText, type MessageRow, rowMessage } from './message.ts';
import { handlerValue } from './values.ts';

/** A row that a member does not take, with what the members that are up hold of it. */
export type HandlerException = {
  /** The key's columns as text, in the order of the shape's `key`. */
  readonly key: readonly string[];
  /** Index in the sync's databases. */
  readonly member: number;
  readonly error: FailureError;
  readonly tries: number;
  readonly rows: readonly { readonly member: number; readonly row: RowText }[];
};

/** A `Failure` as JSON. */
export type FailureMessage = {
  readonly hook: 'onException';
  readonly table: string;
  readonly key: MessageRow;
  readonly database: string;
  readonly error: FailureError;
  readonly tries: number;
  readonly rows: readonly { readonly database: string; readonly row: MessageRow | null }[];
};

/** What becomes of the row, in the round's terms. */
export type ExceptionDecision =
  | { readonly kind: 'retry' }
  | { readonly kind: 'park' }
  | { readonly kind: 'stop' }
  | { readonly kind: 'keep'; readonly member: number };

/** So many times in a row the same may be tried again. */
export const MOST_TRIES = 3;

/** The failure as the handler is told it. */
export function failureMessage(shape: HandlerShape, { key, member, error, tries, rows }: HandlerException): FailureMessage {
  const types = new Map(shape.columns.map(({ name, type }) => [name, type]));
  return {
    hook: 'onException',
    table: shape.table,
    key: Object.fromEntries(shape.key.map((name, index) => [name, handlerValue(key[index] ?? null, types.get(name) ?? 'text')])),
    database: shape.databases[member] ?? '',
    error,
    tries,
    rows: rows.map((each) => ({ database: shape.databases[each.member] ?? '', row: rowMessage(shape, each.row) })),
  };
}

/** Holds what a handler returned against what is there: only databases that are up, and no trying again for ever. */
export function judgeException(shape: HandlerShape, exception: HandlerException, answer: AnswerMessage): ExceptionDecision | HandlerFailure {
  switch (answer.kind) {
    case 'park':
    case 'stop':
      return { kind: answer.kind };
    case 'retry':
      return exception.tries < MOST_TRIES ? { kind: 'retry' } : nonsense(shape, exception, `it returned retry() for the ${MOST_TRIES + 1}th time in a row`);
    case 'keep': {
      const found = exception.rows.find(({ member }) => shape.databases[member] === answer.database);
      if (found) return { kind: 'keep', member: found.member };
      const names = exception.rows.map(({ member }) => shape.databases[member]).join(', ');
      return nonsense(
        shape,
        exception,
        `keep(${answer.database === null ? '…' : `'${answer.database}'`}) wants the name of a database that is up; there are ${names}`,
      );
    }
    default:
      return nonsense(
        shape,
        exception,
        `it returned ${answer.kind === 'nonsense' ? answer.shown : `${answer.kind}(…)`}, not retry(), keep(…), park() or stop()`,
      );
  }
}

export function exceptionFailure(shape: HandlerShape, { key, error }: HandlerException, fault: Fault): HandlerFailure {
  return { kind: 'failure', table: shape.table, key: keyText(shape, key), conflict: `error ${error.code}`, ...fault };
}

function nonsense(shape: HandlerShape, exception: HandlerException, message: string): HandlerFailure {
  return exceptionFailure(shape, exception, { reason: 'nonsense', message, stack: [] });
}
