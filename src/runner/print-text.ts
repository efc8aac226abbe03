import { type RunnerEvent, streamText } from './events.ts';
import { count, seconds } from './print-measures.ts';
import { changeEventText } from './print-change-event.ts';
import { copyEventText, isCopyEvent } from './print-copy-event.ts';
import { guardEventText } from './print-guard-event.ts';
import { mastersEventText } from './print-masters-event.ts';
import { sequenceEventText } from './print-sequence-event.ts';

/** An event as one line for people, without a time. Null for what only machines want to know. */
export function eventText(event: RunnerEvent): string | null {
  if (isCopyEvent(event)) return copyEventText(event);
  switch (event.kind) {
    case 'started':
      return `sarrio runs ${event.streams.length} ${event.streams.length === 1 ? 'stream' : 'streams'} of project ${event.project}: ${event.streams.map(streamText).join('; ')}`;
    case 'health':
      return `answers on ${event.url}: /livez, /readyz, /status, /metrics`;
    case 'stream':
      return `${streamText(event.stream)}: ${event.state}${event.reason ? ` (${event.reason})` : ''}`;
    case 'round':
      return `${streamText(event.stream)}: ${count(event.rows)} rows of ${event.tables} ${event.tables === 1 ? 'table' : 'tables'} in ${seconds(event.ms)}`;
    case 'masters-round':
    case 'contention':
    case 'members-retry':
    case 'table-stopped':
    case 'table-resumed':
      return mastersEventText(event);
    case 'table-paused':
    case 'table-unpaused':
    case 'table-unsafe':
    case 'table-safe':
    case 'plan':
      return changeEventText(event);
    case 'guard-held':
    case 'guard-approved':
    case 'guard-withdrawn':
      return guardEventText(event);
    case 'caught-up':
      return `${streamText(event.stream)}: caught up`;
    case 'retry':
      return `${streamText(event.stream)}: ${event.error}\n  tries again in ${seconds(event.inMs)}`;
    case 'history-changed':
      return `${streamText(event.stream)}: the source is on a new timeline (failover); all kept changes are sent again. It may lack rows that the target has: unverified until: sarrio verify`;
    case 'purged':
      return `database ${event.database}: purged ${count(event.bytes)} bytes of changes of ${event.table}`;
    case 'backlog':
      return `${streamText(event.stream)}: warning SAR615: the target holds back ${count(event.rows)} changes (${count(event.bytes)} bytes), ${event.percent} % of maxBacklog; beyond it, it is detached unless it comes after`;
    case 'detached':
      return `${streamText(event.stream)}: detached: ${event.reason}`;
    case 'carried':
    case 'carry-failed':
    case 'sequence-alarm':
    case 'sequence-safe':
      return sequenceEventText(event);
    case 'watch-failed':
      return `database ${event.database}: looking whether all changes are captured failed: ${event.error}`;
    case 'purge-failed':
      return `database ${event.database}: purging failed: ${event.error}`;
    case 'stopped':
      return `stopped (${event.reason})`;
    default:
      return event satisfies never;
  }
}
