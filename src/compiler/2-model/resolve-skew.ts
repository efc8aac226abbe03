const UNITS = { ms: 1, s: 1_000, min: 60_000 } as const;
const DEFAULT_MS = 500;

/** A declared difference of clocks in milliseconds; its form was checked when the config was loaded. */
export function resolveSkew(text: string | undefined): number {
  if (text === undefined) return DEFAULT_MS;
  const unit = (/[a-z]+$/.exec(text)?.[0] ?? 'ms') as keyof typeof UNITS;
  return Math.round(Number.parseFloat(text) * UNITS[unit]);
}

const HOURS_KEPT = 90 * 24;

/** How long conflicts are kept, in hours; its form was checked when the config was loaded. */
export function resolveKeeping(text: string | undefined): number {
  if (text === undefined) return HOURS_KEPT;
  return Number.parseInt(text, 10) * (text.includes('day') ? 24 : 1);
}
