import { type RunnerEvent, streamText } from './events.ts';
import { count, seconds } from './print-measures.ts';

type FullCopyEvent = Extract<RunnerEvent, { readonly kind: `full-copy-${string}` }>;

/** An event of a full copy as one line for people. */
export function fullCopyEventText(event: FullCopyEvent): string {
  switch (event.kind) {
    case 'full-copy-started':
      return `${streamText(event.stream)}: full copy (${event.method}, ${REASONS[event.reason]})`;
    case 'full-copy-table':
      return `${streamText(event.stream)}: ${event.table}: ${count(event.rows)} rows in ${seconds(event.ms)}`;
    case 'full-copy-waits':
      return `${streamText(event.stream)}: waits for others (${event.error}); tries again in ${seconds(event.inMs)}`;
    case 'full-copy-finished':
      return `${streamText(event.stream)}: copied ${event.tables} ${event.tables === 1 ? 'table' : 'tables'}, ${count(event.rows)} rows in ${seconds(event.ms)}`;
  }
}

const REASONS = { first: 'the first one', due: 'it is due', kicked: 'somebody asked for it', once: 'as this run was told' } as const;
