import type { RunnerEvent } from '../../src/runner/events.ts';
import type { TestDatabase } from './database.ts';
import { waitUntil } from './wait.ts';

/** How far each range had brought its table when it was there. */
export function rangesOf(events: readonly RunnerEvent[]): readonly { readonly done: number; readonly total: number }[] {
  return events.flatMap((event) => (event.kind === 'copy-range' ? [{ done: event.done, total: event.total }] : []));
}

/** Backends of a run that was cut off have ended, too. */
export async function leftAlone({ source, target }: { readonly source: TestDatabase; readonly target: TestDatabase }): Promise<void> {
  const ours = "select from pg_stat_activity where application_name like 'sarrio%' and datname = current_database()";
  for (const database of [source, target]) await waitUntil('nobody is left', async () => (await database.query(ours)).length === 0);
}
