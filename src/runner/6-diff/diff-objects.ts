import type { Hazard } from '../../plan/hazards.ts';
import type { Plan, PlanDatabase, PlanObject } from '../../plan/plan.ts';
import { hasOtherKey, isDelta } from '../5-inspect/delta-columns.ts';
import { type InstalledObject, type LiveDatabase, type LiveObject, objectKey } from '../5-inspect/live-database.ts';
import { driftText, short } from './drift-text.ts';
import { changesEvidence } from './evidence.ts';
import { dropDelta, dropIndex, revokeAll } from './remove.sql.ts';
import { makeStep, type Step, type StepKind } from './step.ts';

/** Text of a plan object's block. */
export type BlockOf = (object: PlanObject) => string;

type Subject = {
  readonly plan: Plan;
  readonly live: LiveDatabase;
  readonly blockOf: BlockOf;
};

type Decision = { readonly kind: StepKind; readonly reason: string; readonly expected: string | null; readonly isAdopted?: boolean };

/** Steps that put the plan's objects in place in one database, in the plan's order. */
export function diffObjects(subject: Subject): readonly Step[] {
  const { plan, live } = subject;
  const planned = plan.databases[live.database];
  if (!planned) return [];
  const found = new Map(live.objects.map((object) => [objectKey(object), object]));
  const rows = new Map(live.installed.map((row) => [objectKey(row), row]));
  const rebuilt = rebuiltGroups(planned, found);
  const altered = alteredDeltas(planned, found, rows);
  return planned.objects.flatMap((object) => {
    const standing = found.get(objectKey(object));
    const delta = rebuilt.get(object.group);
    if (delta) return [rebuildStep({ ...subject, object, delta })];
    const decision = decide({ live, object, standing, row: rows.get(objectKey(object)) }) ?? follows(object, standing, altered);
    return decision ? [objectStep({ ...subject, object, standing, decision })] : [];
  });
}

/** Groups whose delta table has to be dropped because its key is another one now. */
function rebuiltGroups(planned: PlanDatabase, found: ReadonlyMap<string, LiveObject>): ReadonlyMap<string, LiveObject> {
  const groups = new Map<string, LiveObject>();
  for (const object of planned.objects) {
    const standing = found.get(objectKey(object));
    if (standing && hasOtherKey(planned, standing)) groups.set(object.group, standing);
  }
  return groups;
}

/** Delta tables that stand and whose definition is another one now, by group: columns that are added to them come to their segments as well. */
function alteredDeltas(
  planned: PlanDatabase,
  found: ReadonlyMap<string, LiveObject>,
  rows: ReadonlyMap<string, InstalledObject>,
): ReadonlyMap<string, PlanObject> {
  const deltas = planned.objects.filter((object) => {
    const [standing, row] = [found.get(objectKey(object)), rows.get(objectKey(object))];
    return standing !== undefined && row !== undefined && isDelta(standing) && row.hash !== object.hash;
  });
  return new Map(deltas.map((object) => [object.group, object]));
}

/** What was not changed itself is written down anew, with its new columns. */
function follows({ kind, group }: PlanObject, standing: LiveObject | undefined, altered: ReadonlyMap<string, PlanObject>): Decision | null {
  const delta = altered.get(group);
  return delta === undefined || standing === undefined || kind !== 'table' ? null : { kind: 'replace', reason: `follows ${delta.name}`, expected: null };
}

function decide(options: { live: LiveDatabase; object: PlanObject; standing: LiveObject | undefined; row: InstalledObject | undefined }): Decision | null {
  const { live, object, standing, row } = options;
  if (!standing && !row) return { kind: 'create', reason: 'not installed', expected: null };
  if (!standing && row) return { kind: 'repair', reason: 'drift: apply installed it, but it is gone', expected: null };
  if (!row)
    return { kind: 'create', reason: 'it stands, but was not recorded by apply: run again and recorded', expected: null, isAdopted: object.kind !== 'schema' };
  const drift = standing ? driftText(live, standing, row) : null;
  if (row.hash !== object.hash) {
    const reason = `its definition changed: ${short(row.hash)} to ${short(object.hash)}${drift ? `; ${drift}` : ''}`;
    return { kind: 'replace', reason, expected: null };
  }
  return drift ? { kind: 'repair', reason: drift, expected: row.fingerprint } : null;
}

function objectStep(options: Subject & { object: PlanObject; standing: LiveObject | undefined; decision: Decision }): Step {
  const { live, blockOf, object, standing, decision } = options;
  const block = blockOf(object);
  const isChangedIndex = object.kind === 'index' && standing !== undefined && decision.kind !== 'create';
  const first = isChangedIndex ? dropIndex(standing).text : standing ? revokeAll(standing).text : '';
  const { isAdopted = false, ...decided } = decision;
  return makeStep({
    database: live.database,
    ...decided,
    hazards: isAdopted ? [adoption(live, object)] : [],
    object: { kind: object.kind, name: object.name },
    group: object.group,
    lock: object.lock,
    sql: first === '' ? block : `${first}\n${block}`,
    record: { hash: object.hash },
  });
}

/** The whole group runs again: dropping the delta table takes its segments and their indexes with it. */
function rebuildStep(options: Subject & { object: PlanObject; delta: LiveObject }): Step {
  const { live, blockOf, object, delta } = options;
  const isTheDelta = object.name === delta.name;
  const block = blockOf(object);
  return makeStep({
    database: live.database,
    kind: 'replace',
    object: { kind: object.kind, name: object.name },
    group: object.group,
    lock: object.lock,
    reason: isTheDelta ? 'the key is another one: dropped and made anew, and the targets have to be copied again' : `follows ${delta.name}`,
    sql: isTheDelta ? `${dropDelta(delta.bare).text}\n${block}` : block,
    record: { hash: object.hash },
    hazards: isTheDelta ? [{ code: 'drop-changes', object: delta.name, evidence: changesEvidence(live, delta.bare) }] : [],
  });
}

/** Whoever made it, it is in a schema of ours under a name of ours: approved once for a database, since one lost inventory makes all of it strange. */
function adoption({ database }: LiveDatabase, { kind, name }: PlanObject): Hazard {
  return { code: 'adopt-objects', object: database, evidence: `${kind} ${name} stands and no apply has recorded it; it would be replaced and taken for ours` };
}
