import { failure, SarrioError } from '../../plan/errors.ts';
import { holdApplyLock } from '../7-apply/hold-apply-lock.ts';
import { pause } from '../8-round/control.ts';
import { failureText } from '../postgres/error-text.ts';
import type { Session } from '../postgres/session.ts';
import { namesOf, openOnes, withTables } from './close-tables.ts';
import { compareAll } from './compare.ts';
import { closeTables, forgetRecords, openTables } from './cutover.sql.ts';
import type { CutoverOptions, CuttingOver } from './cutover-options.ts';
import { drain } from './drain.ts';
import { carryExactly } from './exact-sequences.ts';
import { beginCutover, readCutover, recordStep } from './record.ts';
import { refuseUnprepared, refuseUnready } from './refuse.ts';
import { isDone, type Recorded, type Step } from './steps.ts';
import { tablesOf } from './tables.ts';
import { backFrom, doing, done } from './texts.ts';
import { heldOtherWay, openReversed } from './reversed.ts';
import { undo } from './undo.ts';
import type { CutoverResult } from './cutover-result.ts';

/**
 * Switches the write side of a one-way sync: both sides are closed to applications, everything that is pending arrives, the two are
 * compared, sequences are carried, and the target is opened. Each step is recorded in the source; a call that was cut off is called
 * again and goes on. What fails is undone, so that the source is not left closed for nothing.
 */
export async function cutover(options: CutoverOptions): Promise<CutoverResult> {
  return withBoth(options, async (cutting) => {
    const { sync, target, by, atSource } = cutting;
    const standing = await readCutover(atSource, sync);
    if (standing?.step === 'opened') return { kind: 'already', since: standing.since };
    const held = standing === null ? await heldOtherWay(cutting) : null;
    if (held !== null) return openReversed(cutting, held);
    if (standing === null) await refuseUnready(cutting);
    const record = standing ?? (await beginCutover(atSource, sync, { target, by }));
    refuseOther(cutting, record);
    await cutting.failpoint('cutover.begun.recorded');
    await workThrough(cutting, record);
    return { kind: cutting.hold ? 'held' : 'opened', since: record.since };
  });
}

/** Undoes a cut-over that has not been finished. */
export async function abort(options: CutoverOptions): Promise<{ readonly step: Recorded['step'] }> {
  return withBoth(options, async (cutting) => {
    const record = await readCutover(cutting.atSource, cutting.sync);
    if (record === null) throw nothingToAbort(cutting);
    await undo(cutting, record);
    return { step: record.step };
  });
}

async function withBoth<T>(options: CutoverOptions, work: (cutting: CuttingOver) => Promise<T>): Promise<T> {
  const { plan, planned, target, connect, waitLockMs: waitMs, clock, signal, log } = options;
  const sessions: Session[] = [];
  const open = async (database: string): Promise<Session> => {
    const session = await connect(database, 'install');
    sessions.push(session);
    const waiting = (event: { kind: string }): void => log({ kind: 'waiting', text: `${event.kind} in ${database}` });
    await holdApplyLock({ session, project: plan.project, mode: 'exclusive', waitMs, clock, signal, log: waiting });
    await refuseUnprepared(plan, session);
    return session;
  };
  try {
    return await work({ ...options, atSource: await open(planned.source), atTarget: await open(target) });
  } finally {
    await Promise.all(sessions.map((session) => session.close()));
  }
}

async function workThrough(cutting: CuttingOver, record: Recorded): Promise<void> {
  const { log, failpoint, signal, sync, atSource } = cutting;
  let step: Step = record.step === 'aborting' ? 'begun' : record.step;
  await refuseReopened(cutting, step);
  for (const [next, work] of WORK) {
    if (isDone(step, next) || (next === 'opened' && cutting.hold)) continue;
    try {
      signal.throwIfAborted();
      log({ kind: 'step-started', step: next, text: doing(cutting, next) });
      const found = await work(cutting, record);
      await failpoint(`cutover.${next}.done`);
      if (next !== 'source-closed') await recordStep(atSource, sync, record, next);
      await failpoint(`cutover.${next}.recorded`);
      step = next;
      log({ kind: 'step-done', step, text: done(cutting, step, found), back: backFrom(cutting, step) });
    } catch (error) {
      throw await afterFailure(cutting, { record, step, error });
    }
  }
}

type Work = (cutting: CuttingOver, record: Recorded) => Promise<number>;

const WORK: readonly (readonly [Step, Work])[] = [
  ['target-closed', (cutting, record) => close(cutting, cutting.atTarget, record)],
  ['source-closed', (cutting, record) => close(cutting, cutting.atSource, record)],
  ['drained', (cutting) => drain(cutting).then(() => 0)],
  ['verified', compareAll],
  ['carried', carryExactly],
  ['opened', openTarget],
];

/** That the source is closed is recorded in the transaction that closes it. */
async function close(cutting: CuttingOver, session: Session, record: Recorded): Promise<number> {
  const { sync, planned, waitMs, clock, signal, log, atSource } = cutting;
  const tables = tablesOf(planned, session === atSource ? 'source' : 'target');
  const waiting = (text: string): void => log({ kind: 'waiting', text });
  await withTables({ session, tables, mode: 'share row exclusive', waitMs, clock, signal, waiting }, async () => {
    await session.query(closeTables, [namesOf(tables), sync, record.id]);
    if (session === atSource) await recordStep(session, sync, record, 'source-closed');
  });
  return tables.length;
}

/** The sync rests before the target takes writes, where nobody else follows it: two mistakes would be needed to overwrite them. */
async function openTarget(cutting: CuttingOver): Promise<number> {
  const { sync, planned, waitMs, clock, signal, log, atSource, atTarget, failpoint } = cutting;
  if (planned.targets.length === 1) await pause(atSource, { sync, wake: planned.wake }, 'sarrio cutover');
  await failpoint('cutover.opened.paused');
  const tables = tablesOf(planned, 'target');
  const waiting = (text: string): void => log({ kind: 'waiting', text });
  await withTables({ session: atTarget, tables, mode: 'access exclusive', waitMs, clock, signal, waiting }, async () => {
    await atTarget.query(openTables, [namesOf(tables)]);
    await atTarget.query(forgetRecords, [sync]);
  });
  return tables.length;
}

function refuseOther({ sync, target }: CuttingOver, record: Recorded): void {
  if (record.step === 'aborting') {
    throw failure('refused', {
      code: 'SAR810',
      where: `sync ${sync}`,
      message: `an abort of the cut-over of ${record.since} was cut off`,
      hint: `Let it end first: sarrio cutover ${sync} --abort`,
    });
  }
  if (record.target === target) return;
  const message = `a cut-over to ${record.target} is under way since ${record.since}`;
  throw failure('refused', { code: 'SAR810', where: `sync ${sync}`, message, hint: `Go on with --target ${record.target}, or undo it with --abort.` });
}

/** Whoever opened a side by hand may have written there. */
async function refuseReopened(cutting: CuttingOver, step: Step): Promise<void> {
  const { sync, planned, atSource, atTarget } = cutting;
  const source = isDone(step, 'source-closed') ? await openOnes(atSource, tablesOf(planned, 'source')) : [];
  // After the sequences it may be this cut-over that has opened the target, and was cut off before it wrote that down.
  const target = isDone(step, 'target-closed') && !isDone(step, 'carried') ? await openOnes(atTarget, tablesOf(planned, 'target')) : [];
  if (source.length + target.length === 0) return;
  const names = [...source.map((name) => `${name} in ${planned.source}`), ...target.map((name) => `${name} in ${cutting.target}`)];
  throw failure('refused', {
    code: 'SAR811',
    where: `sync ${sync}`,
    message: `somebody has opened what was closed: ${names.join(', ')} may have been written meanwhile`,
    hint: `Undo the cut-over and begin anew: sarrio cutover ${sync} --abort`,
  });
}

/** A refusal or a failure undoes what was done; where that cannot be done now, it is said how things stand. */
async function afterFailure(cutting: CuttingOver, at: { record: Recorded; step: Step; error: unknown }): Promise<SarrioError> {
  const { sync, planned } = cutting;
  const { record, step, error } = at;
  const cause = error instanceof SarrioError ? error : failure('failed', { code: 'SAR812', where: `sync ${sync}`, message: failureText(error), cause: error });
  const undone = await undo(cutting, { ...record, step }).then(
    () => null,
    (reason: unknown) => failureText(reason),
  );
  const stands =
    undone === null ? { message: `the cut-over was undone: ${planned.source} takes writes as before`, hint: null } : await standing(cutting, step, undone);
  const diagnostics = [...cause.diagnostics, { code: 'SAR813', severity: 'warning', where: `sync ${sync}`, span: null, ...stands } as const];
  return new SarrioError({ exit: undone === null ? cause.exit : 'partial', diagnostics, cause: error });
}

/** After an undoing that could not be ended, because a transaction holds a table or a database is gone. */
async function standing(cutting: CuttingOver, step: Step, reason: string): Promise<{ message: string; hint: string }> {
  const { sync, planned, target, atSource } = cutting;
  const record = await readCutover(atSource, sync).catch(() => null);
  if (record?.step === 'aborting') {
    const message = `${planned.source} takes writes as before, but ${target} could not be opened yet: ${reason}`;
    return { message, hint: `Let the undoing end: sarrio cutover ${sync} --abort` };
  }
  return { message: `it stands after step '${step}': ${reason}`, hint: `To go on: sarrio cutover ${sync}. ${backFrom(cutting, step)}` };
}

function nothingToAbort({ sync }: CuttingOver): Error {
  return failure('refused', { code: 'SAR814', where: `sync ${sync}`, message: 'no cut-over is under way', hint: `To begin one: sarrio cutover ${sync}` });
}
