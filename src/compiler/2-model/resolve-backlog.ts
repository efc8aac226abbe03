import type { Backlog } from '../../index.ts';
import type { BacklogBudget } from '../../plan/backlog-budget.ts';

const UNITS = { kB: 1024, MB: 1024 ** 2, GB: 1024 ** 3, TB: 1024 ** 4 } as const;

/** A declared budget in bytes and entries; its form was checked when the config was loaded. */
export function resolveBacklog(backlog: Backlog | undefined): BacklogBudget | null {
  if (backlog === undefined) return null;
  const { size, rows } = typeof backlog === 'string' ? { size: backlog } : { size: undefined, rows: undefined, ...backlog };
  return { bytes: size === undefined ? null : bytesOf(size), rows: rows ?? null };
}

/** Of a size such as `20 GB`. */
export function bytesOf(size: string): number {
  const number = Number.parseFloat(size);
  const unit = size.slice(-2) as keyof typeof UNITS;
  return Math.floor(number * UNITS[unit]);
}
