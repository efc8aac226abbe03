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
  if (lookUp(here).copied.has(JSON.stringify([sync, arrival.source, relation]))) return false;
  // Whoever takes part in a multi-master sync already holds its rows, whichever member is the first by now.
  const isNewStream = !here.watermarks.some((mark) => mark.sync === sync && (mark.source === arrival.source || planned.mode === 'multi-master'));
  return isNewStream || !source || !lookUp(source).captured.has(displayName(table.source));
}

/** Copies that are recorded, and tables with triggers of ours: asked for each table of the same few databases. */
type LookUp = { readonly copied: ReadonlySet<string>; readonly captured: ReadonlySet<string> };

const known = new WeakMap<LiveDatabase, LookUp>();

function lookUp(live: LiveDatabase): LookUp {
  const found = known.get(live) ?? {
    copied: new Set(live.copies.map(({ sync, source, relation }) => JSON.stringify([sync, source, relation]))),
    captured: new Set(live.objects.flatMap(({ trigger }) => (trigger === null ? [] : [displayName(trigger.table)]))),
  };
  known.set(live, found);
  return found;
}
