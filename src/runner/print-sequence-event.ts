import { type RunnerEvent, streamText } from './events.ts';

type SequenceEvent = Extract<RunnerEvent, { kind: 'carried' | 'carry-failed' | 'sequence-alarm' | 'sequence-safe' }>;

/** What concerns users' sequences, as one line for people. */
export function sequenceEventText(event: SequenceEvent): string | null {
  switch (event.kind) {
    case 'carried':
      return null;
    case 'carry-failed':
      return `${streamText(event.stream)}: ${event.code}: sequence ${event.sequence} of ${event.stream.target} is not carried: ${event.error}`;
    case 'sequence-alarm':
      return `${event.code}: database ${event.database}, sequence ${event.sequence}: ${event.percent} % of its values are given; it is at ${event.last} and ends at ${event.end}\n  give the column and the sequence a larger type`;
    case 'sequence-safe':
      return `database ${event.database}, sequence ${event.sequence}: ${event.percent} % of its values are given; it has room again`;
    default:
      return event satisfies never;
  }
}
