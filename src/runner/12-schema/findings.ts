import type { Session } from '../postgres/session.ts';
import { displayName } from '../../sql/quote.ts';
import { misfits } from './misfits.ts';
import { withPartitions, type WantedTable } from './wanted-table.ts';

/** What is to be said of a database before something is made there. */
export type Finding = { readonly code: string; readonly severity: 'error' | 'warning'; readonly message: string; readonly hint: string };

/** What is to be said of the tables themselves. */
export function findingsOf({ target, tables, notes }: { target: Session; tables: readonly WantedTable[]; notes: readonly string[] }): readonly Finding[] {
  return [
    ...tables.flatMap((table) => misfits(table, target.serverMajor)).map((misfit) => ({ ...misfit, severity: 'error' as const })),
    ...notes.map((message) => ({
      code: 'SAR448',
      severity: 'warning' as const,
      message,
      hint: 'Nothing is to be done if that is meant; otherwise make it by hand after the copy.',
    })),
    ...tables.flatMap(withPartitions).flatMap(leftBehind),
  ];
}

function leftBehind({ definition, name }: WantedTable): readonly Finding[] {
  if (definition.leftBehind.length === 0) return [];
  const message = `${displayName(definition)} has ${definition.leftBehind.join(', ')}, which ${displayName(name)} does not get`;
  return [{ code: 'SAR448', severity: 'warning', message, hint: 'Make them by hand where the target needs them, before anybody reads there.' }];
}
