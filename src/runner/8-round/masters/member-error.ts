import { sqlState } from '../../postgres/connection-failure.ts';
import { CopyError } from '../../postgres/copy.ts';
import { failureText } from '../../postgres/error-text.ts';

/** What went wrong at one member of a round. */
export class MemberError extends Error {
  override readonly name = 'MemberError';
  readonly member: number;

  constructor(member: number, database: string, cause: unknown) {
    super(`database ${database}: ${failureText(cause)}`, { cause });
    this.member = member;
  }
}

/** The server's code, whatever the error is wrapped in. */
export function stateOf(error: unknown): string | null {
  if (error instanceof MemberError || error instanceof CopyError) return stateOf(error.cause);
  return sqlState(error);
}

/** Somebody changed what the round was about to write (serialization, deadlock, lock, a key inserted meanwhile): the same again may well succeed. */
export function isContention(error: unknown): boolean {
  return ['40001', '40P01', '55P03', '23505', '23P01'].includes(stateOf(error) ?? '');
}
