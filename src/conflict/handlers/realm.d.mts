import type { AnswerMessage, ConflictMessage } from './message.ts';
import type { Conflict } from './conflict.ts';
import type { UniqueClash } from './clash.ts';
import type { Failure } from './failure.ts';
import type { ClashMessage } from './judge-clash.ts';
import type { FailureMessage } from './judge-failure.ts';

export function conflictOf(message: FailureMessage): Failure;
export function conflictOf(message: ClashMessage): UniqueClash;
export function conflictOf(message: ConflictMessage): Conflict;
export function answerOf(value: unknown): AnswerMessage;
