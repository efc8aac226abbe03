import type { ConfigPath } from '../../1-load/fault.ts';
import { configSyncs, type Finding, type Rule } from '../rule.ts';

const REPLACED = 'it replaces all rows of the table every time';
const SETTINGS: Readonly<Record<string, string>> = {
  truncate: `${REPLACED}, and knows of no TRUNCATE`,
  skip: `${REPLACED}, so no row could stay`,
  guard: REPLACED,
};

/** SAR297. */
export const fullCopySettings: Rule = {
  code: 'SAR297',
  severity: 'error',
  summary: 'a full copy has a setting that speaks of changes',
  explanation: 'Nothing is captured for a full copy: it knows rows, not what was done to them.',
  example: "mode: 'full-copy', … skip: ['delete']",
  cure: 'Take the setting out, or use a one-way sync.',
  run: (input) =>
    configSyncs(input).flatMap(([name, sync]) => {
      if (sync.mode !== 'full-copy') return [];
      const path = ['syncs', name];
      const tables = sync.tables.flatMap((entry, position) => (typeof entry === 'string' ? [] : settings({ ...entry }, [...path, 'tables', position])));
      return [...settings({ ...sync }, path), ...tables];
    }),
};

function settings(given: Readonly<Record<string, unknown>>, path: ConfigPath): readonly Finding[] {
  return Object.entries(SETTINGS).flatMap(([setting, reason]): readonly Finding[] => {
    if (given[setting] === undefined) return [];
    return [
      {
        path: [...path, setting],
        part: 'key',
        message: `${setting} does not go with a full copy: ${reason}`,
        hint: 'Leave it out, or replicate the changes one way.',
      },
    ];
  });
}
