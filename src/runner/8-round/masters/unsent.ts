import { beforeAll, type History, intersection, parsePosition, sameHistory } from '../../../plan/position.ts';
import type { PlanMultiMaster } from '../../../plan/plan.ts';
import type { Session } from '../../postgres/session.ts';
import { planFor } from '../joins.sql.ts';
import { beginReading, endReading, readAcknowledged, readHistory, setPosition } from '../source.sql.ts';
import { summarizePending } from '../status.sql.ts';

/** How many changes that were made at a member have not reached all others yet, as far as it knows. */
export async function unsentChanges(session: Session, name: string, { members, tables }: PlanMultiMaster): Promise<number> {
  const row = (await session.query(readHistory)).rows[0];
  const history: History = { system: row?.['system'] ?? '', database: row?.['database'] ?? '', timeline: Number(row?.['timeline']) };
  const seen = [];
  for (const other of members.filter((member) => member !== session.database)) {
    const stored = (await session.query(readAcknowledged, [name, other])).rows[0]?.['position'];
    const position = stored ? parsePosition(stored) : beforeAll(history);
    seen.push(sameHistory(position.history, history) ? position : beforeAll(history));
  }
  const answers = await session.batch([
    beginReading,
    { text: planFor('few') },
    setPosition(intersection(seen)),
    { text: summarizePending(tables.map(({ countPending }) => countPending)) },
    { text: endReading },
  ]);
  return Number(answers[3]?.lists[0]?.[0]);
}
