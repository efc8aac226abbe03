import { failure } from '../../plan/errors.ts';
import { namedFlows } from '../../plan/flows.ts';
import type { Generated } from '../../plan/generated-files.ts';
import type { Plan } from '../../plan/plan.ts';
import { displayName } from '../../sql/quote.ts';
import { type Direction, directionOf, type Effect, effectText } from './effects.ts';
import type { Migrating } from './migrating.ts';
import type { Rehearsal } from './rehearse.ts';

/** What a migration touches of the syncs, and how it has to go about it. */
export type Scope = {
  readonly direction: Direction;
  /** Tables that rest meanwhile, by target. */
  readonly resting: ReadonlyMap<string, readonly string[]>;
  /** By source: tables of which something goes that changes on their way speak of. */
  readonly takes: ReadonlyMap<string, ReadonlySet<string>>;
};

/** @throws SarrioError when it touches what it may not, or when nobody can know which side comes first. */
export function scopeOf(migrating: Migrating, rehearsal: Rehearsal, next: Generated): Scope {
  const { plan } = migrating.generated;
  refuseMasters(migrating, rehearsal);
  const takes = takesOf(plan, next.plan, rehearsal);
  const losesChanges = [...takes.values()].some(({ size }) => size > 0);
  const effects = [...rehearsal.effects.values()].flat();
  const direction = migrating.declared ?? directionOf(effects, losesChanges);
  if (direction === null) throw unclear(migrating, effects);
  if (direction === 'expand' && losesChanges) throw wrongWay(migrating, takes);
  return { direction, resting: restingOf(plan, rehearsal), takes };
}

/** Targets first, or sources first; a database that is both comes between. */
export function orderOf({ databases, generated }: Migrating, direction: Direction): readonly string[] {
  const flows = namedFlows(generated.plan.syncs).map(({ flow }) => flow);
  const depth = (database: string, seen: readonly string[] = []): number => {
    if (seen.includes(database)) return 0;
    const above = flows.filter(({ targets }) => targets.includes(database)).map(({ source }) => 1 + depth(source, [...seen, database]));
    return Math.max(0, ...above);
  };
  return [...databases].sort((a, b) => (direction === 'contract' ? depth(a) - depth(b) : depth(b) - depth(a)));
}

function touchedIn({ effects }: Rehearsal, database: string): ReadonlySet<string> {
  return new Set((effects.get(database) ?? []).map(({ table }) => table));
}

function restingOf(plan: Plan, rehearsal: Rehearsal): ReadonlyMap<string, readonly string[]> {
  const resting = new Map<string, Set<string>>();
  for (const { flow } of namedFlows(plan.syncs)) {
    const atSource = touchedIn(rehearsal, flow.source);
    for (const target of flow.targets) {
      const atTarget = touchedIn(rehearsal, target);
      const names = flow.tables.filter((table) => atSource.has(displayName(table.source)) || atTarget.has(displayName(table.target)));
      const all = resting.get(target) ?? new Set<string>();
      for (const { target: name } of names) all.add(displayName(name));
      resting.set(target, all);
    }
  }
  return new Map([...resting].map(([target, names]) => [target, [...names].sort()]));
}

/** A captured table, a column that flows, or a key: changes that no target has applied yet could not be read any more. */
function takesOf(plan: Plan, next: Plan, { effects }: Rehearsal): Scope['takes'] {
  const takes = Object.entries(plan.databases).map(([database, { captures, shapes }]) => {
    const found = captures.flatMap(({ table }) => {
      const name = displayName(table);
      const effect = effects.get(database)?.find((each) => each.table === name);
      const shape = shapes[name];
      if (effect === undefined || shape === undefined) return [];
      const isTaken =
        effect.isGone ||
        effect.renamedTo !== null ||
        effect.goneColumns.some((column) => Object.hasOwn(shape.columns, column)) ||
        !isSameKey(shape.key, next.databases[database]?.shapes[name]?.key ?? [], effect);
      return isTaken ? [name] : [];
    });
    return [database, new Set(found)] as const;
  });
  return new Map(takes);
}

function isSameKey(key: readonly string[], next: readonly string[], { renamedColumns }: Effect): boolean {
  const names = new Map(renamedColumns);
  return JSON.stringify(key.map((name) => names.get(name) ?? name).sort()) === JSON.stringify([...next].sort());
}

function refuseMasters({ generated, file }: Migrating, rehearsal: Rehearsal): void {
  for (const [name, sync] of Object.entries(generated.plan.syncs)) {
    if (sync.mode !== 'multi-master') continue;
    for (const member of sync.members) {
      const touched = touchedIn(rehearsal, member);
      const table = sync.tables.find(({ source }) => touched.has(displayName(source)));
      if (table === undefined) continue;
      throw failure('refused', {
        code: 'SAR825',
        where: `database ${member}, table ${displayName(table.source)}`,
        message: `${file} changes a table of the multi-master sync ${name}, whose rounds do not rest for a migration`,
        hint: `Stop its runners, run the file at every member yourself, then: sarrio pull, sarrio compile, sarrio apply; and start them again.`,
      });
    }
  }
}

function unclear({ file }: Migrating, effects: readonly Effect[]): Error {
  return failure('invalid', {
    code: 'SAR824',
    where: file,
    message: `it gives something and takes something away, so nobody can say which databases come first: ${[...new Set(effects.map(effectText))].join('; ')}`,
    hint: 'Make two migrations of it, one that adds and one that drops; or say --contract (sources first) or --expand (targets first).',
  });
}

function wrongWay({ file }: Migrating, takes: Scope['takes']): Error {
  const tables = [...new Set([...takes.values()].flatMap((names) => [...names]))].join(', ');
  return failure('invalid', {
    code: 'SAR824',
    where: file,
    message: `it takes something away from what is captured of ${tables}: with the targets first, changes that are on their way would be lost`,
    hint: 'Leave --expand out, or say --contract.',
  });
}
