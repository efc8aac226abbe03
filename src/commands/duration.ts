import { InvalidArgumentError } from 'commander';

/** `10`, `10s` or `500ms` of the command line, in milliseconds. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s)?$/.exec(text);
  if (!match) throw new InvalidArgumentError('Write seconds (10 or 10s) or milliseconds (500ms).');
  return Math.round(Number(match[1]) * (match[2] === 'ms' ? 1 : 1000));
}

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
