import { nextOfCron, parseCron } from './cron.ts';

/** When a full copy is due: so long after the start of the last one, or when the clocks of a time zone show a time. */
export type Schedule =
  | { readonly kind: 'interval'; readonly seconds: number }
  | { readonly kind: 'cron'; readonly expression: string; readonly timeZone: string };

/** Why a declared time is none, and which of the two settings is to blame. */
export type ScheduleFault = { readonly kind: 'fault'; readonly setting: 'every' | 'timeZone'; readonly message: string };

const SECONDS = { s: 1, min: 60, m: 60, h: 3_600, d: 86_400 } as const;

/** Reads `every` and `timeZone` of a full copy. */
export function parseSchedule(every: string, timeZone: string | undefined): Schedule | ScheduleFault {
  const interval = /^([1-9]\d{0,8}) ?(s|min|m|h|d)$/.exec(every);
  if (interval) {
    if (timeZone !== undefined) return fault('timeZone', 'a time zone goes with a cron expression only: an interval is counted from the last copy');
    return { kind: 'interval', seconds: Number(interval[1]) * SECONDS[interval[2] as keyof typeof SECONDS] };
  }
  const zone = timeZone ?? 'UTC';
  if (!isTimeZone(zone)) return fault('timeZone', `there is no time zone '${zone}'`);
  const cron = parseCron(every);
  if (typeof cron === 'string') return fault('every', `'${every}' is neither an interval such as '15m' nor a cron expression: ${cron}`);
  if (nextOfCron(cron, zone, 0) === null) return fault('every', `'${every}' never comes`);
  return { kind: 'cron', expression: every, timeZone: zone };
}

/** When the next copy is due if the last one started at a moment; milliseconds since 1970. */
export function nextDue(schedule: Schedule, last: number): number {
  if (schedule.kind === 'interval') return last + schedule.seconds * 1000;
  const cron = parseCron(schedule.expression);
  const next = typeof cron === 'string' ? null : nextOfCron(cron, schedule.timeZone, last);
  if (next === null) throw new Error(`the plan has a cron expression that never comes: ${schedule.expression}`);
  return next;
}

function fault(setting: 'every' | 'timeZone', message: string): ScheduleFault {
  return { kind: 'fault', setting, message };
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
