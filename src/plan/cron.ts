/** The five fields of a cron expression, as sorted lists of what they allow. */
export type Cron = {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly days: readonly number[];
  readonly months: readonly number[];
  /** 0 is Sunday. */
  readonly weekdays: readonly number[];
  /** Both day fields say something: a day that fits either of them will do, as cron has it. */
  readonly isEitherDay: boolean;
};

type Field = { readonly label: string; readonly first: number; readonly last: number; readonly names: readonly string[] };

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const MINUTE: Field = { label: 'minute', first: 0, last: 59, names: [] };
const HOUR: Field = { label: 'hour', first: 0, last: 23, names: [] };
const DAY: Field = { label: 'day of month', first: 1, last: 31, names: [] };
const MONTH: Field = { label: 'month', first: 1, last: 12, names: MONTHS };
const WEEKDAY: Field = { label: 'day of week', first: 0, last: 7, names: WEEKDAYS };
const FIELDS = [MINUTE, HOUR, DAY, MONTH, WEEKDAY];

/** Reads `minute hour day-of-month month day-of-week`; a text says what is wrong. */
export function parseCron(text: string): Cron | string {
  const parts = text.trim().split(/\s+/);
  if (parts.length !== FIELDS.length) return `it has ${parts.length} fields instead of five (minute, hour, day of month, month, day of week)`;
  const read = FIELDS.map((field, index) => parseField(parts[index] ?? '', field));
  const fault = read.find((each) => typeof each === 'string');
  if (typeof fault === 'string') return fault;
  const [minutes = [], hours = [], days = [], months = [], weekdays = []] = read.filter((each) => typeof each !== 'string');
  const isAny = (index: number): boolean => parts[index]?.startsWith('*') === true;
  const week = [...new Set(weekdays.map((day) => day % 7))].sort((a, b) => a - b);
  return { minutes, hours, days, months, weekdays: week, isEitherDay: !isAny(2) && !isAny(4) };
}

function parseField(text: string, field: Field): readonly number[] | string {
  const values = new Set<number>();
  for (const part of text.split(',')) {
    const match = /^(?:(\*)|(\w+)(?:-(\w+))?)(?:\/(\d+))?$/.exec(part);
    const [, star, from = '', to, every] = match ?? [];
    const first = star === undefined ? numberOf(from, field) : field.first;
    const last = star === undefined && (to !== undefined || every === undefined) ? numberOf(to ?? from, field) : field.last;
    const step = Number(every ?? 1);
    if (first === null || last === null || first > last || step < 1) return `'${part}' is no ${field.label} (${field.first} to ${field.last})`;
    for (let value = first; value <= last; value += step) values.add(value);
  }
  return [...values].sort((a, b) => a - b);
}

function numberOf(text: string, { first, last, names }: Field): number | null {
  const named = names.indexOf(text.toLowerCase());
  const value = named >= 0 ? named + first : /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return value >= first && value <= last ? value : null;
}

const DAY_MS = 86_400_000;
/** Leap days may be eight years apart. */
const LOOK_AHEAD_DAYS = 366 * 8 + 2;

/**
 * The first moment after another (both in milliseconds since 1970) at which the clocks of a time zone show what the expression says, or
 * null when there is none. A time that the clocks leave out comes when they have gone past it; one that they show twice comes once.
 */
export function nextOfCron(cron: Cron, timeZone: string, after: number): number | null {
  const offset = offsetsOf(timeZone);
  const wall = after + offset(after);
  const start = Math.floor(wall / DAY_MS) * DAY_MS;
  // A change of the clocks moves a time by an hour or two at most.
  const earliest = wall - 3 * 3_600_000;
  for (let day = -1; day < LOOK_AHEAD_DAYS; day += 1) {
    const midnight = start + day * DAY_MS;
    if (!fitsDay(cron, new Date(midnight))) continue;
    const times = cron.hours.flatMap((hour) => cron.minutes.map((minute) => midnight + (hour * 60 + minute) * 60_000));
    const moments = times.filter((time) => time >= earliest).map((time) => momentOf(time, offset));
    const next = moments.filter((moment) => moment > after).sort((a, b) => a - b)[0];
    if (next !== undefined) return next;
  }
  return null;
}

function fitsDay({ days, months, weekdays, isEitherDay }: Cron, date: Date): boolean {
  if (!months.includes(date.getUTCMonth() + 1)) return false;
  const [fitsMonth, fitsWeek] = [days.includes(date.getUTCDate()), weekdays.includes(date.getUTCDay())];
  return isEitherDay ? fitsMonth || fitsWeek : fitsMonth && fitsWeek;
}

/** When the clocks first show a time; when they jump over it, as long after the jump as it lies within it. */
function momentOf(wall: number, offset: (at: number) => number): number {
  const [before, after] = [wall - offset(wall - DAY_MS), wall - offset(wall + DAY_MS)];
  const shown = [before, after].filter((moment) => moment + offset(moment) === wall);
  return shown.length > 0 ? Math.min(...shown) : before;
}

/** How far the clocks of a time zone are ahead of UTC at a moment, in milliseconds. */
function offsetsOf(timeZone: string): (at: number) => number {
  const options = {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  } as const;
  const format = new Intl.DateTimeFormat('en-US', options);
  return (at) => {
    const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1000) * 1000;
  };
}
