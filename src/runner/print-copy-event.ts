import { type RunnerEvent, streamText } from './events.ts';
import { count, seconds } from './print-measures.ts';

type CopyEvent = Extract<RunnerEvent, { kind: `copy-${string}` | `full-copy-${string}` }>;

export function isCopyEvent(event: RunnerEvent): event is CopyEvent {
  return /^(full-)?copy-/.test(event.kind);
}

/** What happens in initial and full copies, as one line for people. */
export function copyEventText(event: CopyEvent): string {
  const of = `${streamText(event.stream)}:`;
  switch (event.kind) {
    case 'copy-started':
      return `${of} initial copy of ${event.table}`;
    case 'copy-range':
      return `${of} ${event.table}: range ${event.done} of ${event.total}, ${count(event.rowsPerSecond)} rows/s, ${seconds(event.msLeft)} left`;
    case 'copy-compared':
      return `${of} ${event.table}: ${comparedText(event)}`;
    case 'copy-set-aside':
      return `${of} ${event.table}: ${count(event.indexes)} ${event.indexes === 1 ? 'index' : 'indexes'} set aside until its rows are there`;
    case 'copy-index':
      return `${of} ${event.table === null ? '' : `${event.table}: `}index ${event.index} built again in ${seconds(event.ms)}`;
    case 'copy-finished':
      return `${of} copied ${event.table}, ${count(event.rows)} rows in ${seconds(event.ms)}`;
    case 'full-copy-started':
      return `${of} full copy (${event.method}, ${REASONS[event.reason]})`;
    case 'full-copy-table':
      return `${of} ${event.table}: ${count(event.rows)} rows in ${seconds(event.ms)}`;
    case 'full-copy-waits':
      return `${of} waits for others (${event.error}); tries again in ${seconds(event.inMs)}`;
    case 'full-copy-finished':
      return `${of} copied ${event.tables} ${event.tables === 1 ? 'table' : 'tables'}, ${count(event.rows)} rows in ${seconds(event.ms)}`;
    default:
      return event satisfies never;
  }
}

/** Said before anything is written. */
function comparedText({ inserts, updates, deletes }: Extract<CopyEvent, { kind: 'copy-compared' }>): string {
  if (inserts + updates + deletes === 0) return 'the rows that it holds are those of the source already';
  return `compared with the source, writing ${count(inserts)} inserts, ${count(updates)} updates, ${count(deletes)} deletes`;
}

const REASONS = { first: 'the first one', due: 'it is due', kicked: 'somebody asked for it', once: 'as this run was told' } as const;
