import type { ConfigPath } from '../../1-load/fault.ts';
import { type Finding, masterSyncs, type Rule } from '../rule.ts';

const ALIKE = 'every member sends its rows to every other one, so a row must be the same everywhere';
const OF_SYNC: Readonly<Record<string, string>> = {
  source: 'every member is a source; list them all in `members`',
  targets: 'every member is a target; list them all in `members`',
  missingColumns: ALIKE,
  skip: 'a row that only one member still has would come back to the others',
  guard: 'a delete that waits would meet the changes that other members have made since',
};
const OF_TABLE: Readonly<Record<string, string>> = {
  rename: 'the table needs the same name at every member',
  columns: ALIKE,
  where: `${ALIKE}; a row that leaves the filter would be deleted at the others, whose own rows it does not know`,
  missingColumns: ALIKE,
  skip: 'a row that only one member still has would come back to the others',
};

/** SAR261. */
export const oneWaySettings: Rule = {
  code: 'SAR261',
  severity: 'error',
  summary: 'a multi-master sync has a setting that makes sense one way only',
  explanation: 'Filters, renamed, computed and left-out columns change rows on their way from a source to a target. Between masters each row goes both ways.',
  example: "mode: 'multi-master', … where: 'paid'",
  cure: 'Take the setting out, or use a one-way sync.',
  run: (input) =>
    masterSyncs(input).flatMap(([name, sync]) => {
      const path = ['syncs', name];
      const tables = sync.tables.flatMap((entry, position) =>
        typeof entry === 'string' ? [] : settings({ ...entry }, { reasons: OF_TABLE, path: [...path, 'tables', position] }),
      );
      return [...settings({ ...sync }, { reasons: OF_SYNC, path }), ...tables];
    }),
};

function settings(given: Readonly<Record<string, unknown>>, known: { reasons: Readonly<Record<string, string>>; path: ConfigPath }): readonly Finding[] {
  return Object.entries(known.reasons).flatMap(([setting, reason]): readonly Finding[] => {
    if (given[setting] === undefined) return [];
    return [{ path: [...known.path, setting], part: 'key', message: `${setting} does not go with several masters: ${reason}`, hint: 'Leave it out.' }];
  });
}
