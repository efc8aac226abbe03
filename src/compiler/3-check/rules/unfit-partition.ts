import { displayName } from '../../../sql/quote.ts';
import { indexLock } from '../../2-model/lock-index.ts';
import { unfitReason } from '../../2-model/select-tables.ts';
import { type Finding, capturedTables, type Rule } from '../rule.ts';

/** SAR225. */
export const unfitPartition: Rule = {
  code: 'SAR225',
  severity: 'error',
  summary: 'a captured table has a partition that cannot be captured',
  explanation: 'Statement triggers do not stand on foreign tables, so that a change made to such a partition directly would be missed.',
  example: 'a partition of public.events is a foreign table',
  cure: 'Detach it, or leave the table out.',
  run: (input) => {
    const indexes = new Map(Object.entries(input.lock.databases).map(([name, database]) => [name, indexLock(database)]));
    return capturedTables(input).flatMap(({ flow, table, path }) =>
      table.partitions.flatMap((name): Finding[] => {
        const partition = indexes.get(flow.source)?.table(name);
        const reason = partition ? unfitReason(partition) : null;
        if (reason === null) return [];
        const message = `partition ${displayName(name)} of ${displayName(table.source)} is ${reason}`;
        return [{ path, message, hint: 'Detach it, or leave the partitioned table out.' }];
      }),
    );
  },
};
