import type { RunnerEvent } from './events.ts';
import { count, seconds } from './print-measures.ts';

type MastersEvent = Extract<RunnerEvent, { kind: 'masters-round' | 'contention' | 'members-retry' | 'table-stopped' | 'table-resumed' }>;

/** What happens between masters, as one line for people. */
export function mastersEventText(event: MastersEvent): string | null {
  switch (event.kind) {
    case 'masters-round':
      return `${event.sync}: ${event.members.join(', ')}: ${count(event.rows)} rows of ${event.tables} ${event.tables === 1 ? 'table' : 'tables'}${event.conflicts > 0 ? `, ${count(event.conflicts)} conflicts decided,` : ''} in ${seconds(event.ms)}`;
    case 'contention':
      return event.tries < 3
        ? null
        : `${event.sync}: rows change while they are being written (${event.error}); ${event.isLocking ? 'the tables are locked for each round' : 'tries again'}`;
    case 'members-retry':
      return `${event.sync}: ${event.members.join(', ')}: ${event.error}\n  tries again in ${seconds(event.inMs)}`;
    case 'table-stopped':
      return `${event.sync}: ${event.code}: table ${event.table} is stopped, the others go on: ${event.reason}\n  ${event.hint}`;
    case 'table-resumed':
      return `${event.sync}: table ${event.table} goes on`;
    default:
      return event satisfies never;
  }
}
