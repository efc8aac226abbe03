import type { Guard, OneWaySync, TableConfig } from '../../index.ts';
import type { PlanGuard } from '../../plan/plan-guard.ts';
import type { ModelTable } from './model.ts';

/** A guard with its defaults. */
export function resolveGuard(guard: Guard | undefined): PlanGuard | null {
  if (guard === undefined) return null;
  const { deletes = null, minRows = 1, truncate = true } = guard;
  return { deletes, minRows, truncate };
}

/** What becomes, one way, of rows that are gone at the source; a table's own settings beat those of the sync. */
export function keptRows(sync: Pick<OneWaySync, 'truncate' | 'skip'>, entry: TableConfig): Pick<ModelTable, 'truncate' | 'takesTruncate' | 'gone'> {
  const truncate = entry.truncate ?? sync.truncate ?? 'replicate';
  const skip = entry.skip ?? sync.skip ?? [];
  const gone = skip.includes('delete') ? 'kept' : truncate === 'ignore' ? 'kept-when-truncated' : 'deleted';
  return { truncate: truncate === 'refuse' ? 'refuse' : null, takesTruncate: gone === 'deleted', gone };
}
