import type { Diagnostic } from '../../../plan/diagnostic.ts';
import type { Plan } from '../../../plan/plan.ts';
import type { Inspections, LiveCheck } from '../inspection.ts';
import { replicationRole } from './sar403-replication-role.ts';
import { standby } from './sar406-standby.ts';
import { applyPrivileges, removalPrivileges } from './sar407-apply-privileges.ts';
import { runPrivileges } from './sar408-run-privileges.ts';
import { tableMissing } from './sar410-table-missing.ts';
import { tableKind } from './sar411-table-kind.ts';
import { columns } from './sar412-columns.ts';
import { key } from './sar413-key.ts';
import { partitions } from './sar414-partitions.ts';
import { targetOccupied } from './sar415-target-occupied.ts';
import { expressions } from './sar419-expressions.ts';
import { roleMissing } from './sar430-role-missing.ts';
import { sequencePrivileges } from './sar433-sequence-privileges.ts';
import { newerFormat } from './sar434-newer-format.ts';
import { rebuildRights } from './sar435-rebuild-rights.ts';
import { otherProject } from './sar416-other-project.ts';

/** Every rule that the databases must meet before apply, in the order of the report. */
export const LIVE_CHECKS: readonly LiveCheck[] = [
  standby,
  otherProject,
  newerFormat,
  roleMissing,
  applyPrivileges,
  runPrivileges,
  sequencePrivileges,
  rebuildRights,
  replicationRole,
  tableMissing,
  tableKind,
  columns,
  key,
  partitions,
  targetOccupied,
  expressions,
];

/** Rules about the role that applies, and about the role that rounds run as, which is the same one unless the plan names another. */
const OF_APPLIER: readonly LiveCheck[] = [applyPrivileges];
const OF_RUNNER: readonly LiveCheck[] = [runPrivileges, sequencePrivileges, rebuildRights, replicationRole];

/** The same for verbs that only ask. The plan's reader asks for somebody else: what that one may do shows when it is asked as that one. */
export const QUESTION_CHECKS: readonly LiveCheck[] = LIVE_CHECKS.map((check) => {
  const isOfRunner = OF_RUNNER.includes(check);
  if (!isOfRunner && !OF_APPLIER.includes(check)) return check;
  return {
    ...check,
    run: (subject) => {
      const { runner, reader } = subject.plan.databases[subject.database]?.roles ?? {};
      const isForAnother = subject.inspection.role.role === reader && !(isOfRunner && runner !== undefined);
      return isForAnother ? [] : check.run(subject);
    },
  };
});

/** What removing needs: a server that takes writes, and objects of this project that this role owns. */
export const REMOVAL_CHECKS: readonly LiveCheck[] = [standby, otherProject, newerFormat, removalPrivileges];

/** All faults of all databases at once. */
export function checkDatabases(plan: Plan, inspections: Inspections, checks: readonly LiveCheck[] = LIVE_CHECKS): readonly Diagnostic[] {
  return [...inspections].flatMap(([database, inspection]) => checks.flatMap((check) => check.run({ plan, database, inspection })));
}
