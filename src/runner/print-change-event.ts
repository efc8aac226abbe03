import { type RunnerEvent, streamText } from './events.ts';

type ChangeEvent = Extract<RunnerEvent, { kind: 'table-paused' | 'table-unpaused' | 'table-unsafe' | 'table-safe' | 'plan' }>;

/** What happens when tables or the plan change under a run, as one line for people. */
export function changeEventText(event: ChangeEvent): string {
  switch (event.kind) {
    case 'table-paused':
      return `${streamText(event.stream)}: ${event.code}: table ${event.table} is left out, the others go on: ${event.reason}\n  ${event.hint}`;
    case 'table-unpaused':
      return `${streamText(event.stream)}: table ${event.table} goes on`;
    case 'table-unsafe':
      return `${event.code}: database ${event.database}, table ${event.table}: changes may have gone by uncaptured: ${event.reason}\n  replication goes on; run: sarrio plan, then sarrio apply, which lets the targets take all rows of the table anew`;
    case 'table-safe':
      return `database ${event.database}, table ${event.table}: captured as it should be again`;
    case 'plan':
      return event.state === 'taken'
        ? 'another plan stands in the folder and is applied: going on with it'
        : `another plan stands in the folder; going on with the present one meanwhile: ${event.reason ?? ''}`;
    default:
      return event satisfies never;
  }
}
