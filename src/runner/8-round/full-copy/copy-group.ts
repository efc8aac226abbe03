import type { CopyStatements, PlanCopyRoute, PlanFullCopy } from '../../../plan/plan-full-copy.ts';
import { displayName, type QualifiedName } from '../../../sql/quote.ts';
import type { Clock } from '../../clock.ts';
import type { CopyReason, Log, StreamName } from '../../events.ts';
import type { Failpoint } from '../../failpoint.ts';
import { beforeAll } from '../../../plan/position.ts';
import { copyBetween } from '../../postgres/copy.ts';
import type { Session } from '../../postgres/session.ts';
import { textArray } from '../../postgres/text-array.ts';
import { beatDuring } from '../heartbeat.ts';
import type { Reading } from '../reading.ts';
import type { Source } from '../source.ts';
import { planFor } from '../joins.sql.ts';
import { beginApply, commitApply, rollbackApply, rollbackToSavepoint, savepoint, wakeReader } from '../target.sql.ts';
import { copyChanged } from './changed-rows.ts';
import { finishCopy, holdCopy, openCopy, readLastCopy, setLockTimeout } from './full-copy.sql.ts';
import { tryLocking } from './locking.ts';

/** The last copy as the target knows it, when the copy was decided on. */
export type LastCopy = { readonly copiedAt: string | null; readonly kick: string | null };

/** One copy of all tables of a sync to one target. */
export type GroupCopy = {
  readonly stream: StreamName;
  readonly copy: PlanFullCopy;
  readonly source: Source;
  readonly target: Session;
  readonly last: LastCopy;
  /** The source's time and the last request there, from before the snapshot. */
  readonly now: string;
  readonly kick: string | null;
  readonly reason: CopyReason;
  /** @throws SarrioError when the source has another plan applied. */
  readonly refuseUnapplied: () => Promise<void>;
  /** Tables of the source that nobody may empty or rewrite until they have been read: a copy has come too late for one. */
  readonly locks: readonly QualifiedName[];
  readonly clock: Clock;
  readonly log: Log;
  readonly failpoint: Failpoint;
  readonly signal: AbortSignal;
};

/**
 * Replaces the rows of the group in one transaction of the target, by those of one snapshot of the source. Whatever cuts it off leaves the
 * old rows, and the copy is still due. @returns The number of rows that were written, or null when another runner was faster.
 */
export async function copyGroup(group: GroupCopy): Promise<number | null> {
  const { stream, copy, target, clock, log, reason } = group;
  const route = copy.routes.find(({ targets }) => targets.includes(stream.target));
  if (route === undefined) throw new Error(`the plan has no route to ${stream.target}`);
  const started = clock.now();
  log({ kind: 'full-copy-started', stream, method: copy.method, reason });
  try {
    if (!(await claim(group, route))) {
      await target.query(rollbackApply);
      return null;
    }
    await target.batch([setLockTimeout(copy.lockTimeoutMs)]);
    const rows = await replaceRows(group, route, started);
    for (const text of route.validate) await validate(group, text);
    log({ kind: 'full-copy-finished', stream, tables: copy.tables.length, rows, ms: clock.now() - started });
    return rows;
  } catch (error) {
    if (target.isOpen()) await target.query(rollbackApply).catch(() => target.destroy());
    throw error;
  }
}

/** A list for `readLastCopy`. */
export function tablesOf({ tables }: PlanFullCopy): string {
  return textArray(tables.map(({ target }) => displayName(target)));
}

/** Begins the transaction and takes the locks. False when somebody has copied since this copy was decided on, or a migration has begun: it waits for who holds the row. */
async function claim(group: GroupCopy, route: PlanCopyRoute): Promise<boolean> {
  const { stream, target, last, failpoint } = group;
  const undo = async (): Promise<void> => {
    await target.query(rollbackApply);
    await target.query(beginApply);
  };
  await target.query(beginApply);
  return tryLocking({ ...waiting(group), undo }, async () => {
    await target.query(openCopy, [stream.sync, stream.source]);
    const held = (await target.query(holdCopy, [stream.sync, stream.source])).rows[0];
    if ((held?.['copied_at'] ?? null) !== last.copiedAt || (held?.['kick'] ?? null) !== last.kick) return false;
    if ((await target.query(readLastCopy, [stream.sync, stream.source, tablesOf(group.copy)])).rows[0]?.['is_resting'] === 't') return false;
    // A migration that has ended meanwhile has made another plan.
    await group.refuseUnapplied();
    await failpoint('full-copy.before-lock');
    if (route.lock !== null) await target.query(route.lock);
    return true;
  });
}

async function replaceRows(group: GroupCopy, route: PlanCopyRoute, started: number): Promise<number> {
  const { stream, target, source, failpoint, clock } = group;
  for (const text of route.clear) await target.query(text);
  const reading = await source.open(beforeAll(source.history), group.locks);
  try {
    const rows = await loadTables(group, route, reading);
    await failpoint('full-copy.after-load');
    await target.query(route.checkReferences);
    if (route.swap !== null) await swap(group, route.swap);
    for (const { relay } of route.tables) if (relay !== null) await tellReaders(target, relay);
    const ms = String(Math.round(clock.now() - started));
    await target.query(finishCopy, [stream.sync, stream.source, group.now, group.kick, String(rows), ms]);
    await reading.durable();
    await failpoint('full-copy.before-commit');
    const [committed] = await Promise.all([target.query(commitApply), failpoint('full-copy.commit-sent')]);
    if (committed.command !== 'COMMIT') throw new Error('the server answered COMMIT with ROLLBACK');
    return rows;
  } finally {
    await reading.release();
  }
}

async function loadTables(group: GroupCopy, route: PlanCopyRoute, reading: Reading): Promise<number> {
  let rows = 0;
  for (const [ordinal, statements] of route.tables.entries()) {
    const started = group.clock.now();
    const name = group.copy.tables[ordinal]?.target;
    if (name === undefined) throw new Error(`the plan has no table ${ordinal}`);
    const table = displayName(name);
    const copied = await loadTable(group, { statements, table }, reading);
    group.log({ kind: 'full-copy-table', stream: group.stream, table, rows: copied, ms: group.clock.now() - started });
    rows += copied;
  }
  return rows;
}

/** A table, by its name on the target. */
type Loaded = { readonly statements: CopyStatements; readonly table: string };

/** The source's connection ends its transaction as soon as the rows have left: indexes may take their time. */
async function loadTable({ target, failpoint, clock }: GroupCopy, { statements, table }: Loaded, reading: Reading): Promise<number> {
  if (statements.create !== null) await target.query(statements.create);
  const source = await reading.openBulk();
  let rows: number;
  try {
    await source.query(planFor('many'));
    await failpoint('full-copy.before-load');
    const { changed } = statements;
    rows =
      changed === null
        ? await copyBetween({ session: source, text: statements.copyAll }, { session: target, text: statements.load })
        : await beatDuring(target, clock, () => copyChanged({ source, target, table }, statements, changed));
  } finally {
    await reading.giveBackBulk(source);
  }
  if (statements.finish !== null) await target.query(statements.finish);
  return rows;
}

/** The only moment in which readers of the table may have to wait. */
async function swap(group: GroupCopy, text: string): Promise<void> {
  const { target, failpoint } = group;
  await target.query(savepoint);
  const undo = async (): Promise<void> => void (await target.query(rollbackToSavepoint));
  await tryLocking({ ...waiting(group), undo }, async () => {
    await failpoint('full-copy.before-swap');
    await target.query(text);
  });
}

/** As the target's own triggers would: the flag of its delta table is set with the entry, runners that sleep are woken. */
async function tellReaders(target: Session, relay: NonNullable<CopyStatements['relay']>): Promise<void> {
  await target.query(relay.entry);
  for (const { sync, sequence } of relay.wakes) await target.query(wakeReader, [sync, sequence]);
}

/** After the commit: a failure here loses nothing, and the rows were looked at before the swap. */
async function validate(group: GroupCopy, text: string): Promise<void> {
  const { target } = group;
  const undo = async (): Promise<void> => {
    await target.query(rollbackApply);
    await target.query(beginApply);
  };
  await target.query(beginApply);
  await tryLocking({ ...waiting(group), undo }, () => target.query(text));
  await target.query(commitApply);
}

function waiting({ stream, copy, target, clock, signal, log }: GroupCopy) {
  const onWait = (error: string, inMs: number): void => log({ kind: 'full-copy-waits', stream, error, inMs });
  return { target, lockTimeoutMs: copy.lockTimeoutMs, clock, signal, onWait };
}
