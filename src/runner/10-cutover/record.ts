import type { Session } from '../postgres/session.ts';
import { deleteRecord, insertRecord, readRecord, writeStep } from './cutover.sql.ts';
import { type Recorded, type Step, STEPS } from './steps.ts';

/** What the source says of a sync's cut-over; null when there is none. */
export async function readCutover(source: Session, sync: string): Promise<Recorded | null> {
  const row = (await source.query(readRecord, [sync])).rows[0];
  if (!row) return null;
  return {
    id: row['cutover'] ?? '',
    target: row['target'] ?? '',
    step: stepOf(row['step'] ?? ''),
    by: row['started_by'] ?? '',
    since: row['started_at'] ?? '',
  };
}

/** Of two that begin at once, both go on with the one that was written. */
export async function beginCutover(source: Session, sync: string, to: { target: string; by: string }): Promise<Recorded> {
  await source.query(insertRecord, [sync, to.target, to.by]);
  const record = await readCutover(source, sync);
  if (record === null) throw new Error('the record of the cut-over is gone');
  return record;
}

export async function recordStep(source: Session, sync: string, record: Recorded, step: Recorded['step']): Promise<void> {
  const { count } = await source.query(writeStep, [sync, record.id, step]);
  if (count !== 1) throw new Error('the record of the cut-over is gone');
}

export async function forgetCutover(source: Session, sync: string, record: Recorded): Promise<void> {
  await source.query(deleteRecord, [sync, record.id]);
}

function stepOf(text: string): Step | 'aborting' {
  const step = STEPS.find((each) => each === text);
  if (step !== undefined) return step;
  if (text === 'aborting') return text;
  throw new Error(`no such step of a cut-over: ${text}`);
}
