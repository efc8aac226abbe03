import type { KeyedRow } from '../../../conflict/handlers/judge-failure.ts';
import type { RowText } from '../../../conflict/row-text.ts';
import { sqlState } from '../../postgres/connection-failure.ts';
import { CopyError } from '../../postgres/copy.ts';
import { failureText } from '../../postgres/error-text.ts';
import { ReadTooLate } from '../changed-tables/read-too-late.ts';

/** What went wrong at one member of a round. */
export class MemberError extends Error {
  override readonly name = 'MemberError';
  readonly member: number;

  constructor(member: number, database: string, cause: unknown) {
    super(`database ${database}: ${failureText(cause)}`, { cause });
    this.member = member;
  }
}

/** The row that a member does not take. */
export type RowAtFault = {
  /** By column of the source, as text. */
  readonly key: Readonly<Record<string, string | null>>;
  readonly row: RowText;
  /** Rows that hold what it wants of a unique index, or that exclude it. */
  readonly inTheWay: readonly KeyedRow[];
};

/** What went wrong with one table's rows at a member. */
export class TableError extends Error {
  override readonly name = 'TableError';
  readonly table: number;
  /** Null where it is not known. */
  readonly row: RowAtFault | null;

  constructor(table: number, cause: unknown, row: RowAtFault | null = null) {
    super(failureText(cause), { cause });
    this.table = table;
    this.row = row;
  }
}

/** The table whose rows could not be written, whatever the error is wrapped in. */
export function tableErrorOf(error: unknown): TableError | null {
  if (error instanceof TableError) return error;
  return error instanceof MemberError ? tableErrorOf(error.cause) : null;
}

/** The rows themselves do not fit, so that the same again fails again until somebody mends them or the table. */
export function isFaultOfRows(error: unknown): boolean {
  return /^(22|23|27|38|39|42|44|P0)/.test(stateOf(error) ?? '');
}

/** The server's code, whatever the error is wrapped in. */
export function stateOf(error: unknown): string | null {
  if (error instanceof MemberError || error instanceof TableError || error instanceof CopyError) return stateOf(error.cause);
  return sqlState(error);
}

/** What the server says of an error, as far as it does. */
export type ServerFields = Readonly<Record<(typeof FIELDS)[number], string | null>>;

const FIELDS = ['code', 'message', 'detail', 'constraint', 'schema', 'table'] as const;

/** Whatever the error is wrapped in. */
export function serverFields(error: unknown): ServerFields {
  const given = (error ?? {}) as { readonly [field in (typeof FIELDS)[number] | 'cause']?: unknown };
  if (given.code === undefined && given.cause !== undefined) return serverFields(given.cause);
  const text = (field: (typeof FIELDS)[number]): string | null => (typeof given[field] === 'string' ? given[field] : null);
  return { code: text('code'), message: text('message'), detail: text('detail'), constraint: text('constraint'), schema: text('schema'), table: text('table') };
}

/** A unique index or an exclusion keeps the row out. */
export function isExcluded(error: unknown): boolean {
  return ['23505', '23P01'].includes(stateOf(error) ?? '');
}

/** Somebody changed what the round was about to read or write (serialization, deadlock, lock, a key inserted meanwhile): the same again may well succeed. */
export function isContention(error: unknown): boolean {
  if (error instanceof ReadTooLate) return true;
  return ['40001', '40P01', '55P03', '23505', '23P01'].includes(stateOf(error) ?? '');
}
