import { contentHash } from '../../plan/canonical.ts';
import type { Diagnostic } from '../../plan/diagnostic.ts';
import type { Plan } from '../../plan/plan.ts';
import { displayName } from '../../sql/quote.ts';
import { type LiveDatabase, objectKey } from '../5-inspect/live-database.ts';
import { type BlockOf, diffObjects } from './diff-objects.ts';
import { diffRemovals, takeInventory } from './diff-removals.ts';
import { forgottenCopies, registrations, unregistrations } from './diff-streams.ts';
import type { ChangePlan, Step } from './step.ts';

const BOOKKEEPING = 'sarrio';

type Lives = ReadonlyMap<string, LiveDatabase>;

/**
 * What has to be done so that the databases are as the plan says: everywhere the bookkeeping first, then captures, then the
 * registration of streams, then what leaves. Pure, and empty when nothing is to be done.
 */
export function diff(options: { plan: Plan; lives: Lives; blockOf: BlockOf }): ChangePlan {
  const { plan, lives, blockOf } = options;
  const all = [...lives.values()];
  const objects = all.flatMap((live) => diffObjects({ plan, live, blockOf }));
  const steps = [
    ...objects.filter(({ group }) => group === BOOKKEEPING),
    ...objects.filter(({ group }) => group !== BOOKKEEPING),
    ...all.flatMap((live) => registrations(plan, live)),
    ...all.flatMap((live) => [...unregistrations(plan, live), ...forgottenCopies(plan, live)]),
    ...all.flatMap((live) => diffRemovals({ plan, live, all: false })),
  ];
  return changePlan({ plan, lives, steps, warnings: [...missedWrites(steps), ...attachedRows(steps), ...all.flatMap((live) => foreignObjects(plan, live))] });
}

/** What has to be done so that nothing of this project is left in the databases. */
export function diffDestroy(options: { plan: Plan; lives: Lives }): ChangePlan {
  const { plan, lives } = options;
  const all = [...lives.values()];
  const steps = all.flatMap((live) => diffRemovals({ plan, live, all: true }));
  return changePlan({ plan, lives, steps, warnings: all.flatMap((live) => foreignObjects(plan, live)) });
}

/** A config that lost all its tables is far more often a mistake than a wish; `destroy` is how to wish it. */
export function emptyPlanFaults(plan: Plan, lives: Lives): readonly Diagnostic[] {
  if (Object.values(plan.syncs).some(({ tables }) => tables.length > 0)) return [];
  return [...lives.values()]
    .filter((live) => live.installed.some(({ project }) => project === plan.project))
    .map((live) => ({
      code: 'SAR501',
      severity: 'error',
      message: `the plan has no table at all, but ${live.installed.length} objects of project '${plan.project}' stand here`,
      hint: `If everything is to go: sarrio destroy --confirm ${plan.project}. Otherwise look at the config: its patterns match no table.`,
      span: null,
      where: `database ${live.database}`,
    }));
}

function changePlan(options: { plan: Plan; lives: Lives; steps: readonly Step[]; warnings: readonly Diagnostic[] }): ChangePlan {
  const { plan, lives, steps, warnings } = options;
  const actions = steps.map(({ id, sql, record, hazard }) => [id, sql, record, hazard ? [hazard.code, hazard.object] : null]);
  const owned = [...lives.values()].map((live) => {
    const foreign = new Set(takeInventory({ plan, live, all: false }).foreign.map(objectKey));
    const fingerprints = live.objects.filter((object) => !foreign.has(objectKey(object))).map((object) => [objectKey(object), object.fingerprint]);
    return [live.database, live.serverMajor, fingerprints];
  });
  // Left out on purpose: times, counts of changes, reasons, and what belongs to others; they change without changing what would be done.
  const id = contentHash({ format: 1, plan: contentHash(plan), actions, owned });
  return { id, project: plan.project, steps, warnings };
}

/** While a trigger was gone or disabled, writes went by unseen; no repair brings them back. */
function missedWrites(steps: readonly Step[]): readonly Diagnostic[] {
  return steps
    .filter(({ kind, object }) => kind === 'repair' && (object.kind === 'trigger' || object.name.startsWith('sarrio.delta_')))
    .map(({ database, object }) => ({
      code: 'SAR511',
      severity: 'warning',
      message: `${object.kind} ${object.name} was changed by hand; writes may have gone by uncaptured while it was`,
      hint: 'Applying repairs the object, not the rows: compare this table with its targets afterwards; `sarrio copy` replaces their rows.',
      span: null,
      where: `database ${database}`,
    }));
}

/** A partition that joins a captured table may bring rows with it, and no trigger fires for ATTACH PARTITION. */
function attachedRows(steps: readonly Step[]): readonly Diagnostic[] {
  const isNewTable = (step: Step): boolean =>
    steps.some((other) => other.database === step.database && other.group === step.group && other.object.kind === 'table');
  const joining = steps.filter((step) => step.kind === 'create' && step.object.kind === 'trigger' && !isNewTable(step));
  const tables = new Map(
    joining.flatMap(({ database, lock }) => (lock ? [[`${database} ${displayName(lock.table)}`, { database, table: displayName(lock.table) }] as const] : [])),
  );
  return [...tables.values()].map(({ database, table }) => ({
    code: 'SAR513',
    severity: 'warning',
    message: 'capture begins here now, for a table that was captured before; rows that it held when it was attached were not captured',
    hint: 'If it was attached with rows in it: UPDATE these rows in place once after applying, or `sarrio copy` the table.',
    span: null,
    where: `database ${database}, table ${table}`,
  }));
}

function foreignObjects(plan: Plan, live: LiveDatabase): readonly Diagnostic[] {
  return takeInventory({ plan, live, all: false }).foreign.map((object) => ({
    code: 'SAR510',
    severity: 'warning',
    message: `${object.kind === 'other' ? object.name : `${object.kind} ${object.name}`} is not ours and is left alone`,
    hint: null,
    span: null,
    where: `database ${live.database}, schema sarrio`,
  }));
}
