import { displayName } from '../../sql/quote.ts';
import type { LiveDatabase } from './live-database.ts';
import type { Arrival } from './plan-tables.ts';

/**
 * An arrival has its copy still before it when nothing of it is recorded here and either the whole stream is new or its table is
 * not captured yet (a table added to a live sync).
 */
export function waitsForCopy(arrival: Arrival, here: LiveDatabase, source: LiveDatabase | undefined): boolean {
  const { sync, table, planned } = arrival;
  if (planned.existingRows === 'keep' || !arrival.isCopied) return false;
  const relation = displayName(table.target);
  if (here.copies.some((copy) => copy.sync === sync && copy.source === arrival.source && copy.relation === relation)) return false;
  // Whoever takes part in a multi-master sync already holds its rows, whichever member is the first by now.
  const isNewStream = !here.watermarks.some((mark) => mark.sync === sync && (mark.source === arrival.source || planned.mode === 'multi-master'));
  return isNewStream || !source?.objects.some(({ trigger }) => trigger && displayName(trigger.table) === displayName(table.source));
}
