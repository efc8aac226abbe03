import type { Plan } from '../../../plan/plan.ts';
import type { Session } from '../../postgres/session.ts';
import { forgetConflicts } from './conflicts.sql.ts';

/** Takes conflicts out of a member's record that are older than their sync keeps them. */
export async function forgetOldConflicts(plan: Plan, session: Session): Promise<void> {
  for (const [name, sync] of Object.entries(plan.syncs)) {
    if (sync.mode !== 'multi-master' || !sync.members.includes(session.database)) continue;
    await session.query(forgetConflicts, [name, String(sync.keepConflictsHours)]);
  }
}
