import { InvalidArgumentError } from 'commander';
import { unixTime } from '../runner/clock.ts';

/** `10`, `10s`, `500ms`, `5min` or `2h` of the command line, in milliseconds. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|min|h)?$/.exec(text);
  if (!match) throw new InvalidArgumentError('Write seconds (10 or 10s), milliseconds (500ms), minutes (5min) or hours (2h).');
  return Math.round(Number(match[1]) * UNITS[(match[2] ?? 's') as keyof typeof UNITS]);
}

const UNITS = { ms: 1, s: 1_000, min: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A whole number of the command line, one or more. */
export function parseAtLeastOne(text: string): number {
  const count = parseCount(text);
  if (count === 0) throw new InvalidArgumentError('Write a whole number, one or more.');
  return count;
}

/** A whole number of the command line, zero or more. */
export function parseCount(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('Write a whole number, zero or more.');
  return Number(text);
}

/** `2h`, or a moment with its time zone such as `2026-12-01T06:00+01:00`, as ISO 8601 says it. */
export function parseMoment(text: string): string {
  const span = /^([1-9]\d{0,5}) ?(s|min|h|d)$/.exec(text);
  const hasZone = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:?\d{2})$/.test(text);
  const at = span ? unixTime() + Number(span[1]) * UNITS[span[2] as keyof typeof UNITS] : hasZone ? Date.parse(text.replace(' ', 'T')) : Number.NaN;
  if (Number.isNaN(at)) throw new InvalidArgumentError("Write a time from now (30min, 2h, 1d), or a moment with its time zone ('2026-12-01T06:00+01:00').");
  if (at <= unixTime()) throw new InvalidArgumentError('That is over already.');
  return new Date(at).toISOString();
}
