import { failure } from '../../../plan/errors.ts';
import { beforeAll, formatPosition, parsePosition, positionAt, sameHistory } from '../../../plan/position.ts';
import { sqlState } from '../../postgres/connection-failure.ts';
import type { Session } from '../../postgres/session.ts';
import type { InitialCopy, Joining } from '../copying.ts';
import { boundLock, unboundLocks } from '../purge.sql.ts';
import { setPosition } from '../source.sql.ts';
import type { StreamTable } from '../work.ts';
import { ownSavepoint, ownSnapshot, rollbackToOwn } from './own-writes.sql.ts';

/** Others wait behind us for 0.3 s at most, and have so long to themselves between two tries. */
const PAUSE_MS = 400;
const TRIES = 50;

/**
 * From here on nobody but the copy may write to the table: its own position, under a lock that it holds until the transaction ends. Null where
 * the target is no source.
 */
export async function ownPosition({ joining, clock }: InitialCopy, target: Session, table: StreamTable): Promise<string | null> {
  if (joining === null) return null;
  await lockTable({ joining, clock }, target, table);
  const row = (await target.query(ownSnapshot)).rows[0];
  return formatPosition(positionAt(joining.history, row?.['snapshot'] ?? ''));
}

/**
 * A row that an application has written stands where one of the first member may come, which nobody has compared it with, and whose change may
 * be long purged: it would win unseen. So the copy does not go on over it.
 */
export async function refuseOwnWrites({ joining, stream }: InitialCopy, target: Session, of: { table: StreamTable; since: string | null }): Promise<void> {
  if (joining === null || of.since === null) return;
  const since = parsePosition(of.since);
  const from = sameHistory(since.history, joining.history) ? since : beforeAll(joining.history);
  const [, counted] = await target.batch([setPosition(from), { text: joining.tables[of.table.ordinal]?.countPending ?? '' }]);
  const entries = Number(counted?.lists[0]?.[1] ?? 0);
  if (entries === 0) return;
  throw failure('refused', {
    code: 'SAR644',
    where: `database ${stream.target}, table ${of.table.relation}`,
    message: `${entries} changes were written to the table, by applications or another sync, while it is copied from ${stream.source} in ranges: before it holds the rows that they may meet`,
    hint: `Nothing is lost or written over. Keep others from the table until ${stream.target} has joined; then let the copy begin anew, which replaces these changes: sarrio copy --sync ${stream.sync} --target ${stream.target} --replace`,
  });
}

/** The last look: what is committed by now is seen, and nothing comes after it until the table is a copied one. */
export async function refuseOwnWritesUnderLock(copy: InitialCopy, target: Session, of: { table: StreamTable; since: string | null }): Promise<void> {
  if (copy.joining === null) return;
  await lockTable({ joining: copy.joining, clock: copy.clock }, target, of.table);
  await refuseOwnWrites(copy, target, of);
}

async function lockTable({ joining, clock }: { joining: Joining; clock: InitialCopy['clock'] }, target: Session, { ordinal }: StreamTable): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await target.batch([{ text: ownSavepoint }, { text: boundLock }, { text: joining.tables[ordinal]?.lock ?? '' }, { text: unboundLocks }]);
      return;
    } catch (error) {
      if (sqlState(error) !== '55P03' || attempt === TRIES) throw error;
      await target.query(rollbackToOwn);
      await clock.sleep(PAUSE_MS);
    }
  }
}
