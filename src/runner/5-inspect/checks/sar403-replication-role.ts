import { quoteIdent } from '../../../sql/quote.ts';
import { type LiveCheck, liveFault } from '../inspection.ts';
import { lendReplicationRole } from '../tables.sql.ts';
import { plannedTables } from '../../../plan/planned-tables.ts';

/** A target's role must be able to set session_replication_role, or the rows that we write would fire the user's triggers and ours. */
export const replicationRole: LiveCheck = {
  code: 'SAR403',
  summary: 'the role of a target may set session_replication_role',
  run: ({ plan, database, inspection }) => {
    const isTarget = plannedTables(plan, database).some(({ shape }) => shape.roles.includes('target'));
    if (!isTarget || inspection.runner.mayReplicate) return [];
    const { role } = inspection.runner;
    const hint =
      inspection.live.serverMajor >= 15
        ? `A superuser can run: GRANT SET ON PARAMETER session_replication_role TO ${quoteIdent(role)};`
        : `Before PostgreSQL 15 no GRANT gives this right. A superuser can lend it by a function that the runner calls:\n${lendReplicationRole(role)}`;
    return [liveFault({ code: 'SAR403', database, message: `role ${role} may not set session_replication_role, which writing to a target needs`, hint })];
  },
};
