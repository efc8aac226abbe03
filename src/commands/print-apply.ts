import type { Output } from '../plan/output.ts';
import type { ApplyEvent, ApplyLog } from '../runner/7-apply/apply-event.ts';

/** Progress of apply and destroy, one line for each event, on standard error. */
export function applyPrinter(output: Output): ApplyLog {
  return (event) => output.err(`${applyLine(event)}\n`);
}

function applyLine(event: ApplyEvent): string {
  switch (event.kind) {
    case 'waiting-for-lock':
      return `${event.database}: waiting for another apply: ${event.holder}`;
    case 'group-started':
      return `[${event.number}/${event.of}] ${event.database}: ${event.group} (${event.steps.length} step${event.steps.length === 1 ? '' : 's'})`;
    case 'blocked':
      return `  busy, try ${event.attempt} of ${event.of + 1}: ${event.holders.length > 0 ? event.holders.join(', ') : 'whoever held it has let go'}`;
    case 'group-applied':
      return `  done`;
    default:
      return event satisfies never;
  }
}
