import { failure } from '../../../plan/errors.ts';
import type { Session } from '../../postgres/session.ts';
import type { Finding } from './finding.ts';
import { approveHold, readWaiting } from './guard.sql.ts';
import { holdOf } from './guard.ts';

/** Changes that wait in a target. */
export type Waiting = {
  readonly id: string;
  readonly sync: string;
  readonly source: string;
  readonly target: string;
  readonly findings: readonly Finding[];
  readonly heldAt: string;
};

export async function readAllWaiting(sessions: readonly Session[]): Promise<readonly Waiting[]> {
  const found = await Promise.all(sessions.map(waitingAt));
  return found.flat();
}

export async function waitingAt(session: Session): Promise<readonly Waiting[]> {
  return (await session.query(readWaiting)).rows.map((row) => {
    const { id, findings, heldAt } = holdOf(row);
    return { id, sync: row['sync'] ?? '', source: row['source'] ?? '', target: session.database, findings, heldAt };
  });
}

/** Approves exactly what waits under that id (or its beginning). */
export async function approve(sessions: readonly Session[], { id, by }: { readonly id: string; readonly by: string }): Promise<Waiting> {
  const matching = (await readAllWaiting(sessions)).filter((each) => each.id.startsWith(id));
  const [found] = matching;
  if (matching.length > 1)
    throw failure('invalid', { code: 'SAR661', message: `${matching.length} things that wait begin with ${id}`, hint: 'Give more of the id.' });
  const session = sessions.find(({ database }) => database === found?.target);
  if (found === undefined || session === undefined) throw nothingWaits(id);
  const { count } = await session.query(approveHold, [found.id, by]);
  if (count !== 1) throw nothingWaits(id);
  return found;
}

function nothingWaits(id: string): Error {
  return failure('refused', {
    code: 'SAR661',
    message: `nothing waits for approval under ${id}`,
    hint: 'sarrio approve without an id lists what waits. What is not there any more was approved already, or its reason has gone.',
  });
}
