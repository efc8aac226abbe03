import { MOST_COUNTED } from '../5-inspect/installed.sql.ts';
import type { LiveDatabase } from '../5-inspect/live-database.ts';

/** What dropping a delta table would lose: `1,234 unconsumed changes for targets a, b`. */
export function changesEvidence(live: LiveDatabase, delta: string): string {
  const targets = [...new Set(live.registered.map(({ target }) => target))];
  const receivers = targets.length === 0 ? 'no registered target' : `target${targets.length > 1 ? 's' : ''} ${targets.join(', ')}`;
  return `${countText(live.changes.get(delta) ?? 0)} for ${receivers}`;
}

function countText(count: number): string {
  if (count === 0) return 'no unconsumed changes';
  if (count > MOST_COUNTED) return `more than ${grouped(MOST_COUNTED)} unconsumed changes`;
  return count === 1 ? '1 unconsumed change' : `${grouped(count)} unconsumed changes`;
}

/** With commas whatever the locale of the machine: the text stands in reviews. */
function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}
