import { displayName } from '../../sql/quote.ts';
import { type Group, groupSteps } from '../../runner/7-apply/groups.ts';
import type { ChangePlan, Copying, Estimate, Step, StepKind } from '../../runner/6-diff/step.ts';
import { approveEntry, type JudgedHazard } from './approvals.ts';

export const SIGNS: Readonly<Record<StepKind, string>> = {
  create: '+',
  replace: '~',
  repair: '!',
  refresh: '!',
  remove: '-',
  register: '+',
  unregister: '-',
  record: '~',
};
/** Each kind as it is announced and as it is told afterwards. */
const COUNTED: readonly (readonly [kind: StepKind, wanted: string, done: string])[] = [
  ['create', 'to create', 'created'],
  ['replace', 'to replace', 'replaced'],
  ['repair', 'drifted and to repair', 'repaired'],
  ['refresh', 'to refresh', 'refreshed'],
  ['remove', 'to remove', 'removed'],
  ['register', 'to register', 'registered'],
  ['unregister', 'to unregister', 'unregistered'],
  ['record', 'to write down', 'written down'],
];

/** How a change plan is shown: its hazards judged, the day for the approval that is offered, and whether every object is named. */
export type Shown = { readonly hazards: readonly JudgedHazard[]; readonly today: string; readonly everyObject: boolean };

/** A change plan for people: the counts, then what it would cost, then every step by table with locks, rows and time, then what will be copied. */
export function printChangePlan(changes: ChangePlan, shown: Shown): string {
  const end = [`change plan ${changes.id}`, ''];
  if (changes.steps.length === 0) return [`Project ${changes.project}: nothing to do, the databases are as the plan says.`, ...end].join('\n');
  const lines = [
    `Project ${changes.project}: ${headline(changes.steps)}.`,
    ...hazardLines(shown),
    ...stepLines(changes.steps, shown),
    ...copyLines(changes.copies),
  ];
  return [...lines, '', ...end].join('\n');
}

/** `12 to create, 1 to replace`; afterwards `12 created, 1 replaced`. */
export function headline(steps: readonly Step[], tense: 'wanted' | 'done' = 'wanted'): string {
  return COUNTED.flatMap(([kind, wanted, done]) => {
    const count = steps.filter((step) => step.kind === kind).length;
    return count === 0 ? [] : [`${count} ${tense === 'wanted' ? wanted : done}`];
  }).join(', ');
}

/** How many steps there are of each kind. */
export function stepCounts(steps: readonly Step[]): Readonly<Record<string, number>> {
  return Object.fromEntries(COUNTED.map(([kind]) => [kind, steps.filter((step) => step.kind === kind).length]));
}

function hazardLines({ hazards, today }: Shown): readonly string[] {
  if (hazards.length === 0) return [];
  return [
    '',
    'Hazards:',
    ...hazards.flatMap((hazard) => [
      `  ${hazard.name}  (database ${hazard.database}: ${hazard.evidence})`,
      `    ${approvalText(hazard)}`,
      ...(hazard.approvedBy === null ? [`    in the config: approve: [${approveEntry(hazard, today)}]`] : []),
    ]),
  ];
}

/** `not approved (its approval expired on …)`, `approved in the config: <reason>` */
export function approvalText({ approvedBy, reason, name }: JudgedHazard): string {
  if (approvedBy === 'run') return 'approved for this run';
  if (approvedBy === 'config') return `approved in the config: ${reason ?? ''}`;
  return `not approved${reason === null ? '' : ` (${reason})`}: --allow '${name}'`;
}

function stepLines(steps: readonly Step[], shown: Shown): readonly string[] {
  const groups = groupSteps(steps);
  return groups.flatMap((group, index) => {
    const isNewDatabase = groups[index - 1]?.database !== group.database;
    return [...(isNewDatabase ? ['', `database ${group.database}`] : []), `  ${group.name}  (${effortText(group)})`, ...groupLines(group, shown)];
  });
}

/** What is made for the first time is said by the number; everything else by name. */
export function groupLines(group: Group, { everyObject }: { everyObject: boolean }): readonly string[] {
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

/** `locks: SHARE ROW EXCLUSIVE on public.orders, about 1,234 rows; less than 1 s` */
export function effortText(group: Group): string {
  const time = durationText(group.steps.reduce((sum, { estimate }) => sum + estimate.ms, 0));
  const locks = new Map(group.steps.flatMap(({ lock, estimate }) => (lock ? [[`${lock.mode} on ${displayName(lock.table)}`, rowsText(estimate)]] : [])));
  if (locks.size === 0) return `no lock on your tables; ${time}`;
  return `locks: ${[...locks].map(([lock, rows]) => `${lock}, ${rows}`).join('; ')}; ${time}`;
}

function copyLines(copies: readonly Copying[]): readonly string[] {
  if (copies.length === 0) return [];
  return ['', 'Then `sarrio run` copies:', ...copies.map((copy) => `  ${copyText(copy)}`)];
}

const ADOPTS = '; rows that stand in the target are compared, only what differs is written, and what the source has not is deleted';

/** `shop: public.orders from east to report, about 1,234 rows, less than 1 s` */
export function copyText({ sync, source, target, table, estimate, replaces, adopts }: Copying): string {
  const what = `${sync}: ${table} from ${source} to ${target}, ${rowsText(estimate)}`;
  const rule = replaces ? '; rows that stand in the target are replaced' : adopts ? ADOPTS : '';
  return `${what}${estimate.rows === null ? '' : `, ${durationText(estimate.ms)}`}${rule}`;
}

/** `about 1,234 rows`: as the statistics say. */
function rowsText({ rows }: Estimate): string {
  if (rows === null) return 'never analyzed';
  return rows === 1 ? 'about 1 row' : `about ${rows.toLocaleString('en-US')} rows`;
}

function durationText(ms: number): string {
  if (ms < 1000) return 'less than 1 s';
  if (ms < 120_000) return `about ${Math.round(ms / 1000)} s`;
  return ms < 7_200_000 ? `about ${Math.round(ms / 60_000)} min` : `about ${Math.round(ms / 3_600_000)} h`;
}

function stepLine({ kind, object, reason }: Step): string {
  return `    ${SIGNS[kind]} ${kind} ${object.kind} ${object.name}: ${reason}`;
}
