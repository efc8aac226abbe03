import { failure } from '../../plan/errors.ts';
import { announceRegistry } from '../8-round/purge.sql.ts';
import { wakeRunner } from '../8-round/control.sql.ts';
import type { Session } from '../postgres/session.ts';
import { openOnes, withTables } from './close-tables.ts';
import { closedBy, openClosedBy, unpause } from './cutover.sql.ts';
import type { CuttingOver } from './cutover-options.ts';
import { forgetCutover, recordStep } from './record.ts';
import { isDone, type Recorded } from './steps.ts';
import { tablesOf } from './tables.ts';

/**
 * Opens what the cut-over has closed, the source first, and forgets it. What somebody else had closed stays closed. Sequences that were
 * carried stay ahead, which harms nobody.
 */
export async function undo(cutting: CuttingOver, record: Recorded): Promise<void> {
  const { sync, planned, atSource, atTarget, failpoint } = cutting;
  await refuseOpened(cutting, record);
  await failpoint('cutover.abort.begun');
  await reopen(cutting, atSource, record, async () => {
    await recordStep(atSource, sync, record, 'aborting');
    await atSource.query(unpause, [sync]);
  });
  await atSource.query(announceRegistry);
  await atSource.query(wakeRunner, [sync, planned.wake]);
  await failpoint('cutover.abort.source-opened');
  await reopen(cutting, atTarget, record, async () => undefined);
  await failpoint('cutover.abort.target-opened');
  await forgetCutover(atSource, sync, record);
}

/** In one transaction, with the locks of all tables that are opened. */
async function reopen(cutting: CuttingOver, session: Session, record: Recorded, beside: () => Promise<void>): Promise<void> {
  const { planned, waitMs, clock, log } = cutting;
  const isClosed = (await session.query(closedBy, [record.id])).rows[0]?.['tables'] !== '0';
  if (!isClosed) return beside();
  const tables = tablesOf(planned, session === cutting.atSource ? 'source' : 'target');
  // An abort is not called off half way by the signal that may have caused it: it is what puts things right.
  const signal = new AbortController().signal;
  const waiting = (text: string): void => log({ kind: 'waiting', text });
  await withTables({ session, tables, mode: 'access exclusive', waitMs, clock, signal, waiting }, async () => {
    await beside();
    await session.query(openClosedBy, [record.id]);
  });
}

/** Once the target has taken writes, the source lacks them. */
async function refuseOpened({ sync, planned, target, atTarget }: CuttingOver, { step, since }: Recorded): Promise<void> {
  if (step === 'aborting' || !isDone(step, 'carried')) return;
  const open = step === 'opened' ? tablesOf(planned, 'target') : await openOnes(atTarget, tablesOf(planned, 'target'));
  if (open.length === 0) return;
  throw failure('refused', {
    code: 'SAR809',
    where: `sync ${sync}, ${planned.source} -> ${target}`,
    message: `${target} has taken over (cut-over of ${since}) and may hold writes that ${planned.source} lacks, so ${planned.source} stays closed: opened as it is, the two would part`,
    hint: 'The way back is the reverse stream: see what sarrio cutover has printed, or call it once more to see it again.',
  });
}
