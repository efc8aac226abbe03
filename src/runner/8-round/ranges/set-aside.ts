import type { Session } from '../../postgres/session.ts';
import { beatDuring } from '../heartbeat.ts';
import { beginApply, commitApply, rollbackApply } from '../target.sql.ts';
import type { StreamTable } from '../work.ts';
import { putIndexBack, readSetAside, readStray } from './set-aside.sql.ts';
import type { Row } from '../../postgres/statement.ts';
import type { InitialCopy } from '../copying.ts';

type Parts = Pick<InitialCopy, 'stream' | 'log' | 'failpoint' | 'clock'>;

/** In the transaction that begins the copy of an empty table in ranges: its indexes go, and what they were is written down. */
export async function setAside({ stream, log }: Parts, target: Session, { relation, apply }: StreamTable): Promise<void> {
  if (apply.setIndexesAside === undefined) return;
  const taken = (await target.query(apply.setIndexesAside, [stream.sync, stream.source, relation])).rows[0]?.['taken'];
  log({ kind: 'copy-set-aside', stream, table: relation, indexes: Number(taken) });
}

/** Builds them again once all rows are there, each in a transaction of its own, as many at the same time as the copy has jobs. To mark the one by which the table is clustered, nobody else may be building. */
export async function putBack(copy: InitialCopy, target: Session, table: StreamTable): Promise<void> {
  const all = await setAsideOf(copy, target, table);
  const [left, marked] = [all.filter((index) => index['is_clustered'] !== 't'), all.filter((index) => index['is_clustered'] === 't')];
  const others = Math.max(0, Math.min(copy.jobs, left.length) - 1);
  const inTurn = async (session: Session): Promise<void> => {
    for (let index = left.shift(); index; index = left.shift()) await putOneBack(copy, session, { index, relation: table.relation });
  };
  const elsewhere = async (): Promise<void> => {
    const session = await copy.connectTarget();
    try {
      await inTurn(session);
    } finally {
      await session.close();
    }
  };
  const ended = await beatDuring(target, copy.clock, () => Promise.allSettled([inTurn(target), ...Array.from({ length: others }, elsewhere)]));
  for (const end of ended) if (end.status === 'rejected') throw end.reason;
  for (const index of marked) await putOneBack(copy, target, { index, relation: table.relation });
}

/** The same within the open transaction. */
export async function putBackHere(copy: InitialCopy, target: Session, table: StreamTable): Promise<void> {
  for (const index of await setAsideOf(copy, target, table)) await target.query(putIndexBack, [index['indexed'] ?? '', index['name'] ?? '']);
}

/** Whether an index of the table is still to be built. */
export async function isSetAside(copy: InitialCopy, target: Session, table: StreamTable): Promise<boolean> {
  return (await setAsideOf(copy, target, table)).length > 0;
}

/** Before a stream goes on: nobody else builds what a copy has left that was given up since. */
export async function putStrayBack(parts: Parts, target: Session): Promise<void> {
  for (const index of (await target.query(readStray)).rows) await putOneBack(parts, target, { index, relation: null });
}

/** None where the plan says nothing of it: then apply has put back what there was. */
async function setAsideOf({ stream }: InitialCopy, target: Session, { relation, apply }: StreamTable): Promise<readonly Row[]> {
  if (apply.setIndexesAside === undefined) return [];
  return (await target.query(readSetAside, [stream.sync, stream.source, relation])).rows;
}

async function putOneBack({ stream, log, failpoint, clock }: Parts, target: Session, of: { index: Row; relation: string | null }): Promise<void> {
  const [indexed, name] = [of.index['indexed'] ?? '', of.index['name'] ?? ''];
  const started = clock.now();
  try {
    await target.query(beginApply);
    await target.query(putIndexBack, [indexed, name]);
    await failpoint('copy.before-index');
    const committed = await target.query(commitApply);
    if (committed.command !== 'COMMIT') throw new Error('the server answered COMMIT with ROLLBACK');
    await failpoint('copy.after-index');
  } catch (error) {
    if (target.isOpen()) await target.query(rollbackApply).catch(() => target.destroy());
    throw error;
  }
  log({ kind: 'copy-index', stream, table: of.relation, index: name, ms: clock.now() - started });
}
