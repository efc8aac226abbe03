import type { AnswerMessage, ConflictMessage } from './message.ts';
import type { Conflict } from './conflict.ts';

export function conflictOf(message: ConflictMessage): Conflict;
export function answerOf(value: unknown): AnswerMessage;
