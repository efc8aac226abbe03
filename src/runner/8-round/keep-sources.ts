import { failureText } from '../postgres/error-text.ts';
import type { Session } from '../postgres/session.ts';
import { refuseOtherHistory } from './source.ts';
import { DETACH_AFTER_MS, newBacklogWatch, type BacklogWatch, watchBacklog } from './backlog.ts';
import { newPurgeMemory, purge, type PurgeMemory, SWITCHING } from './purge.ts';
import type { RunOptions, SyncRun } from './sync-runner.ts';

const PURGE_EVERY_MS = 5_000;

/** What lasts from one purge to the next. */
type Held = { session: Session | null; readonly memory: PurgeMemory; readonly watch: BacklogWatch };

/** Purges each source database that the run reads and holds its syncs to their budgets, until the signal. Trouble there never stops a stream. */
export async function keepSources(options: RunOptions, syncs: readonly SyncRun[], signal: AbortSignal): Promise<void> {
  const databases = [...new Set(syncs.map(({ sync }) => sync.source))];
  await Promise.all(databases.map((database) => keepSource(options, { database, syncs: syncs.filter(({ sync }) => sync.source === database) }, signal)));
}

async function keepSource(options: RunOptions, kept: { database: string; syncs: readonly SyncRun[] }, signal: AbortSignal): Promise<void> {
  const { clock, log } = options;
  const { database } = kept;
  const held: Held = { session: null, memory: newPurgeMemory(), watch: newBacklogWatch() };
  const said = { error: '' };
  while (!signal.aborted) {
    await clock.sleep(PURGE_EVERY_MS, signal);
    if (signal.aborted) break;
    try {
      await purgeOnce(options, kept, held);
      said.error = '';
    } catch (error) {
      held.session?.destroy();
      held.session = null;
      const text = failureText(error);
      if (text !== said.error) log({ kind: 'purge-failed', database, error: text });
      said.error = text;
    }
  }
  await held.session?.close();
}

async function purgeOnce(options: RunOptions, { database, syncs }: { database: string; syncs: readonly SyncRun[] }, held: Held): Promise<void> {
  const plan = options.plan.databases[database];
  const first = syncs[0];
  if (plan === undefined || first === undefined) return;
  const { source } = await first.access();
  if (held.session === null || !held.session.isOpen()) {
    held.session = await options.connect(database, 'source');
    await refuseOtherHistory(database, source.history, held.session);
  }
  const { log, failpoint, clock } = options;
  const { session, memory, watch } = held;
  const { history } = source;
  await purge({ database, plan, session, history, log, failpoint, clock, memory, switching: SWITCHING });
  await watchBacklog({ database, plan: options.plan, session, history, log, clock, watch, graceMs: DETACH_AFTER_MS });
}
