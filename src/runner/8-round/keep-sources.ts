import type { History } from '../../plan/position.ts';
import { failureText } from '../postgres/error-text.ts';
import type { Session } from '../postgres/session.ts';
import { refuseOtherHistory } from './source.ts';
import { currentSnapshot } from './source.sql.ts';
import { forgetOldConflicts } from './conflicts/forget-conflicts.ts';
import { DETACH_AFTER_MS, newBacklogWatch, type BacklogWatch, watchBacklog } from './backlog.ts';
import { newPurgeMemory, purge, type PurgeMemory, SWITCHING } from './purge.ts';
import { newSequenceWatch, type SequenceWatch, watchSequences } from './sequences/watch-sequences.ts';
import type { RunOptions, SyncRun } from './sync-runner.ts';
import { type Said, watchSeals } from './watch-seals.ts';
import type { SourceAccess } from './stream-options.ts';

const KEEP_EVERY_MS = 5_000;
/** Sooner, so that a runner which never lives long purges too. */
const FIRST_AFTER_MS = 500;

/** Purges each source database that the run reads, holds its syncs to their budgets and watches its captures, until the signal. Trouble there never stops a stream. */
export async function keepSources(options: RunOptions, syncs: readonly SyncRun[], signal: AbortSignal): Promise<void> {
  const databases = [...new Set(syncs.flatMap(({ sources }) => [...sources.keys()]))];
  await Promise.all(databases.map((database) => keepSource(options, { database, access: accessTo(syncs, database) }, signal)));
}

type Kept = { readonly database: string; readonly access: SourceAccess };

/** By the connection of any sync that reads the database. */
function accessTo(syncs: readonly SyncRun[], database: string): SourceAccess {
  const found = syncs.map(({ sources }) => sources.get(database)).find((access) => access !== undefined);
  if (found === undefined) throw new Error(`no sync reads database ${database}`);
  return found;
}

/**
 * What stays between two turns: the session, what was said, the last error of each chore, and what the last purge and the last look at the
 * budgets saw. `watchedAt` and `purgedAt` are snapshots, by their text: while it is the same no transaction has ended that had an id, so
 * the catalog is the same and nothing was captured. Of each connection, since after a crash the same ids are given out again.
 */
type Held = {
  session: Session | null;
  watchedAt: string | null;
  purgedAt: string | null;
  readonly said: Said;
  readonly errors: Map<string, string>;
  readonly memory: PurgeMemory;
  readonly watch: BacklogWatch;
  readonly sequences: SequenceWatch;
};

function newHeld(): Held {
  const memory = { memory: newPurgeMemory(), watch: newBacklogWatch(), sequences: newSequenceWatch() };
  return { session: null, watchedAt: null, purgedAt: null, said: new Map(), errors: new Map(), ...memory };
}

async function keepSource(options: RunOptions, kept: Kept, signal: AbortSignal): Promise<void> {
  const held = newHeld();
  for (let waitMs = FIRST_AFTER_MS; !signal.aborted; waitMs = KEEP_EVERY_MS) {
    await tryChore(options, kept, held, 'watch-failed', watchOnce);
    await options.clock.sleep(waitMs, signal);
    if (signal.aborted) break;
    await tryChore(options, kept, held, 'purge-failed', purgeOnce);
  }
  await held.session?.close();
}

type Chore = (options: RunOptions, kept: Kept, held: Held) => Promise<void>;

/** An error is said once, until it is another one or gone. */
async function tryChore(options: RunOptions, kept: Kept, held: Held, failed: 'watch-failed' | 'purge-failed', chore: Chore): Promise<void> {
  try {
    await chore(options, kept, held);
    held.errors.delete(failed);
  } catch (error) {
    held.session?.destroy();
    held.session = null;
    const text = failureText(error);
    if (text !== held.errors.get(failed)) options.log({ kind: failed, database: kept.database, error: text });
    held.errors.set(failed, text);
  }
}

async function watchOnce(options: RunOptions, kept: Kept, held: Held): Promise<void> {
  const { database } = kept;
  const plan = options.plan.databases[database];
  if (plan === undefined) return;
  const { session } = await openSession(options, kept, held);
  const now = await snapshotOf(session);
  if (now !== held.watchedAt) await watchSeals({ database, plan, session, log: options.log, said: held.said });
  held.watchedAt = now;
  await watchSequences({ database, plan, session, log: options.log, clock: options.clock, watch: held.sequences });
}

async function purgeOnce(options: RunOptions, kept: Kept, held: Held): Promise<void> {
  const { database } = kept;
  const plan = options.plan.databases[database];
  if (plan === undefined) return;
  const { session, history } = await openSession(options, kept, held);
  const { log, failpoint, clock } = options;
  const { memory, watch } = held;
  const now = await snapshotOf(session);
  if (now === held.purgedAt) return;
  const isSettled = await purge({ database, plan, session, history, log, failpoint, clock, memory, switching: SWITCHING });
  held.purgedAt = isSettled ? now : null;
  await forgetOldConflicts(options.plan, session);
  await watchBacklog({ database, plan: options.plan, session, history, log, clock, watch, graceMs: DETACH_AFTER_MS });
}

async function openSession(options: RunOptions, { database, access }: Kept, held: Held): Promise<{ session: Session; history: History }> {
  const { history } = (await access()).source;
  if (held.session === null || !held.session.isOpen()) {
    held.session = await options.connect(database, 'source');
    Object.assign(held, { watchedAt: null, purgedAt: null });
    await refuseOtherHistory(database, history, held.session);
  }
  return { session: held.session, history };
}

async function snapshotOf(session: Session): Promise<string> {
  return (await session.query(currentSnapshot)).rows[0]?.['snapshot'] ?? '';
}
