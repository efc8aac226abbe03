import { type RunnerEvent, streamText } from './events.ts';

type GuardEvent = Extract<RunnerEvent, { kind: 'guard-held' | 'guard-approved' | 'guard-withdrawn' }>;

/** What waits for somebody's approval, as one line for people. */
export function guardEventText(event: GuardEvent): string {
  const of = `${streamText(event.stream)}:`;
  switch (event.kind) {
    case 'guard-held':
      return `${of} ${event.code}: waits for approval: ${event.findings}\n  nothing is applied meanwhile and nothing is lost; to let it go on: sarrio approve ${event.id.slice(0, 8)}`;
    case 'guard-approved':
      return `${of} ${event.id.slice(0, 8)} was approved by ${event.by}; goes on`;
    case 'guard-withdrawn':
      return `${of} ${event.id.slice(0, 8)} needs no approval any more; goes on`;
    default:
      return event satisfies never;
  }
}
