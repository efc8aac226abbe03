import { displayName } from '../sql/quote.ts';
import { type Group, groupSteps } from '../runner/7-apply/groups.ts';
import { type ChangePlan, hazardName, type Step, type StepKind } from '../runner/6-diff/step.ts';

const SIGNS: Readonly<Record<StepKind, string>> = { create: '+', replace: '~', repair: '!', refresh: '!', remove: '-', register: '+', unregister: '-' };
/** Each kind as it is announced and as it is told afterwards. */
const COUNTED: readonly (readonly [kind: StepKind, wanted: string, done: string])[] = [
  ['create', 'to create', 'created'],
  ['replace', 'to replace', 'replaced'],
  ['repair', 'drifted and to repair', 'repaired'],
  ['refresh', 'to refresh', 'refreshed'],
  ['remove', 'to remove', 'removed'],
  ['register', 'to register', 'registered'],
  ['unregister', 'to unregister', 'unregistered'],
];

/** A change plan for people: the counts, then what would be lost, then every step by table, with locks. */
export function printChangePlan(changes: ChangePlan, options: { everyObject: boolean } = { everyObject: false }): string {
  if (changes.steps.length === 0) return `Project ${changes.project}: nothing to do, the databases are as the plan says.\nchange plan ${changes.id}\n`;
  const lines = [`Project ${changes.project}: ${headline(changes.steps)}.`, ...hazardLines(changes.steps), ...stepLines(changes.steps, options), ''];
  return [...lines, `change plan ${changes.id}`, ''].join('\n');
}

/** `12 to create, 1 to replace`; afterwards `12 created, 1 replaced`. */
export function headline(steps: readonly Step[], tense: 'wanted' | 'done' = 'wanted'): string {
  return COUNTED.flatMap(([kind, wanted, done]) => {
    const count = steps.filter((step) => step.kind === kind).length;
    return count === 0 ? [] : [`${count} ${tense === 'wanted' ? wanted : done}`];
  }).join(', ');
}

function hazardLines(steps: readonly Step[]): readonly string[] {
  const hazards = steps.flatMap((step) => (step.hazard ? [{ database: step.database, hazard: step.hazard }] : []));
  if (hazards.length === 0) return [];
  return ['', 'Hazards:', ...hazards.map(({ database, hazard }) => `  ${hazardName(hazard)}  (database ${database}: ${hazard.evidence})`)];
}

function stepLines(steps: readonly Step[], options: { everyObject: boolean }): readonly string[] {
  const groups = groupSteps(steps);
  return groups.flatMap((group, index) => {
    const isNewDatabase = groups[index - 1]?.database !== group.database;
    return [...(isNewDatabase ? ['', `database ${group.database}`] : []), `  ${group.name}${lockText(group)}`, ...groupLines(group, options)];
  });
}

/** What is made for the first time is said by the number; everything else by name. */
function groupLines(group: Group, { everyObject }: { everyObject: boolean }): readonly string[] {
  const made = everyObject ? [] : group.steps.filter(({ kind }) => kind === 'create');
  const rest = group.steps.filter((step) => !made.includes(step)).map(stepLine);
  if (made.length === 0) return rest;
  const kinds = [...new Set(made.map(({ object }) => object.kind))];
  const counts = kinds.map((kind) => counted(made.filter(({ object }) => object.kind === kind).length, kind));
  return [`    ${SIGNS.create} create ${counts.join(', ')}`, ...rest];
}

function counted(count: number, kind: string): string {
  return count === 1 ? `1 ${kind}` : `${count} ${kind === 'index' ? 'indexes' : `${kind}s`}`;
}

function lockText(group: Group): string {
  const locks = new Set(group.steps.flatMap(({ lock }) => (lock ? [`${lock.mode} on ${displayName(lock.table)}`] : [])));
  return locks.size === 0 ? '' : `  (locks: ${[...locks].join(', ')})`;
}

function stepLine({ kind, object, reason }: Step): string {
  return `    ${SIGNS[kind]} ${kind} ${object.kind} ${object.name}: ${reason}`;
}

/** A change plan for programs. */
export function changePlanData(changes: ChangePlan): unknown {
  const hazards = changes.steps.flatMap((step) => (step.hazard ? [{ name: hazardName(step.hazard), database: step.database, ...step.hazard }] : []));
  const counts = Object.fromEntries(COUNTED.map(([kind]) => [kind, changes.steps.filter((step) => step.kind === kind).length]));
  const steps = changes.steps.map(({ id, database, kind, object, group, lock, reason, sql, hazard }) => ({
    id,
    database,
    kind,
    object,
    group,
    lock,
    reason,
    sql,
    hazard,
  }));
  return { id: changes.id, project: changes.project, counts, hazards, steps };
}
