import { contentHash } from '../../plan/canonical.ts';
import type { Diagnostic } from '../../plan/diagnostic.ts';
import { dependsOnStatistics, hazardName } from '../../plan/hazards.ts';
import type { Plan } from '../../plan/plan.ts';
import { planHash } from '../../plan/plan-hash.ts';
import { type LiveDatabase, objectKey } from '../5-inspect/live-database.ts';
import { type BlockOf, diffObjects } from './diff-objects.ts';
import { intoGroups, refreshedTables, refreshes, skipName } from './diff-seals.ts';
import { diffRemovals, takeInventory } from './diff-removals.ts';
import { diffSequences, leftInterleaved } from './diff-sequences.ts';
import { diffTerms } from './diff-terms.ts';
import { initialCopies, withEstimates } from './estimates.ts';
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
  const objects = intoGroups(
    all.flatMap((live) => diffObjects({ plan, live, blockOf })),
    all.flatMap((live) => refreshes(plan, live)),
  );
  const sequences = diffSequences(lives);
  const decided = [
    ...objects.filter(({ group }) => group === BOOKKEEPING),
    ...objects.filter(({ group }) => group !== BOOKKEEPING),
    ...sequences.steps,
    ...all.flatMap((live) => registrations(plan, live)),
    ...all.flatMap((live) => [...unregistrations(plan, live), ...forgottenCopies(plan, live)]),
    ...all.flatMap((live) => diffTerms(plan, live)),
    ...all.flatMap((live) => diffRemovals({ plan, live, all: false })),
  ];
  const steps = withEstimates(plan, lives, decided);
  const warnings = [...sequences.faults, ...missedWrites(steps), ...attachedRows(steps), ...all.flatMap((live) => foreignObjects(plan, live))];
  return { ...changePlan({ plan, lives, steps, warnings }), copies: initialCopies(plan, lives) };
}

/** What has to be done so that nothing of this project is left in the databases. */
export function diffDestroy(options: { plan: Plan; lives: Lives }): ChangePlan {
  const { plan, lives } = options;
  const all = [...lives.values()];
  const steps = all.flatMap((live) => diffRemovals({ plan, live, all: true }));
  return {
    ...changePlan({ plan, lives, steps, warnings: all.flatMap((live) => [...leftInterleaved(live), ...foreignObjects(plan, live)]) }),
    seals: new Map(),
  };
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
  const actions = steps.map(({ id, sql, record, hazards }) => [id, sql, record, hazards.filter((hazard) => !dependsOnStatistics(hazard)).map(hazardName)]);
  const owned = [...lives.values()].map((live) => {
    const foreign = new Set(takeInventory({ plan, live, all: false }).foreign.map(objectKey));
    const fingerprints = live.objects.filter((object) => !foreign.has(objectKey(object))).map((object) => [objectKey(object), object.fingerprint]);
    return [live.database, live.serverMajor, fingerprints];
  });
  // Left out on purpose: times, counts of changes, reasons, and what belongs to others; they change without changing what would be done.
  const id = contentHash({ format: 1, plan: planHash(plan), actions, owned });
  const seals = new Map([...lives.values()].map((live) => [live.database, live.seals.found]));
  return { id, project: plan.project, steps, warnings, copies: [], seals };
}

/** While a trigger was gone or disabled, writes went by unseen. */
function missedWrites(steps: readonly Step[]): readonly Diagnostic[] {
  return refreshedTables(steps).map(({ database, object, reason }) => ({
    code: 'SAR511',
    severity: 'warning',
    message: `changes may have gone by uncaptured: ${reason}`,
    hint: `Applying lets every target take all rows of the table anew in its next round. Where you know that nothing is missing: --allow '${skipName(object.name)}'`,
    span: null,
    where: `database ${database}, table ${object.name}`,
  }));
}

/** A partition that joins a captured table may bring rows with it, and no trigger fires for ATTACH PARTITION. */
function attachedRows(steps: readonly Step[]): readonly Diagnostic[] {
  return steps
    .filter(({ kind, object, group }) => kind === 'refresh' && object.name !== group)
    .map(({ database, object }) => ({
      code: 'SAR513',
      severity: 'warning',
      message: 'a new partition: applying captures it from now on and sends the rows that it holds to the targets',
      hint: 'What statements that named the partition deleted before now is not known. If there were any, `sarrio copy` the table afterwards.',
      span: null,
      where: `database ${database}, table ${object.name}`,
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
