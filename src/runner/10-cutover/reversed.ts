import { failure } from '../../plan/errors.ts';
import { namesOf, openOnes, withTables } from './close-tables.ts';
import { forgetRecords, openTables } from './cutover.sql.ts';
import type { CuttingOver } from './cutover-options.ts';
import { readCutover, recordStep } from './record.ts';
import type { Recorded } from './steps.ts';
import { tablesOf } from './tables.ts';
import type { CutoverResult } from './cutover-result.ts';

/**
 * A cut-over that was held before the opening, while the config was turned round: what was its target is the sync's source by now, captured
 * from the moment of apply on. Null when there is none.
 */
export async function heldOtherWay({ sync, planned, atTarget }: CuttingOver): Promise<Recorded | null> {
  const record = await readCutover(atTarget, sync);
  return record !== null && record.target === planned.source && record.step === 'carried' ? record : null;
}

/** Opens the side that has taken over. Whatever is written there is captured for the way back. */
export async function openReversed(cutting: CuttingOver, record: Recorded): Promise<CutoverResult> {
  const { sync, planned, atSource, atTarget, waitMs, clock, signal, log, failpoint } = cutting;
  const closed = await openOnes(atTarget, tablesOf(planned, 'target'));
  if (closed.length > 0) throw reopened(cutting, closed);
  const tables = tablesOf(planned, 'source');
  const waiting = (text: string): void => log({ kind: 'waiting', text });
  log({ kind: 'step-started', step: 'opened', text: `opening ${planned.source}, whose changes are captured for ${planned.targets.join(', ')}` });
  await withTables({ session: atSource, tables, mode: 'access exclusive', waitMs, clock, signal, waiting }, async () => {
    await atSource.query(openTables, [namesOf(tables)]);
    await atSource.query(forgetRecords, [sync]);
  });
  await failpoint('cutover.reversed.opened');
  await recordStep(atTarget, sync, record, 'opened');
  return { kind: 'reversed', since: record.since };
}

function reopened({ sync, planned }: CuttingOver, names: readonly string[]): Error {
  return failure('refused', {
    code: 'SAR811',
    where: `sync ${sync}`,
    message: `somebody has opened ${names.join(', ')} in ${planned.targets.join(', ')}, which was closed when ${planned.source} became its equal`,
    hint: `Compare them: sarrio verify --sync ${sync}. Then open ${planned.source} by closing the other side first, or turn the config back and run sarrio cutover ${sync} --abort.`,
  });
}
