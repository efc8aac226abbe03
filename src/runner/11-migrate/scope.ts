import { failure } from '../../plan/errors.ts';
import { namedFlows } from '../../plan/flows.ts';
import type { Generated } from '../../plan/generated-files.ts';
import { recordedFor } from '../../plan/conflict-rule.ts';
import type { Plan, PlanMasterTable, PlanSync, PlanTable, TableShape } from '../../plan/plan.ts';
import { displayName } from '../../sql/quote.ts';
import { type Direction, directionOf, type Effect, effectText } from './effects.ts';
import { isIn, masterSyncs } from './members.ts';
import type { Migrating } from './migrating.ts';
import type { Rehearsal } from './rehearse.ts';

/** What a migration touches of the syncs, and how it has to go about it. */
export type Scope = {
  readonly direction: Direction;
  /** Tables that rest meanwhile, by target. */
  readonly resting: ReadonlyMap<string, readonly string[]>;
  /** By source: tables of which something goes that changes on their way speak of. */
  readonly takes: ReadonlyMap<string, ReadonlySet<string>>;
  /** The same of tables between masters, by member: applications are kept out of them everywhere until no member lacks what another one has. */
  readonly closed: ReadonlyMap<string, ReadonlySet<string>>;
};

/** @throws SarrioError when it touches what it may not, or when nobody can know which side comes first. */
export function scopeOf(migrating: Migrating, rehearsal: Rehearsal, next: Generated): Scope {
  const { plan } = migrating.generated;
  const closed = closedOf(plan, next.plan, rehearsal);
  const takes = takesOf(plan, next.plan, { rehearsal, closed });
  const losesChanges = [...takes.values()].some(({ size }) => size > 0);
  const effects = orderedEffects([plan, next.plan], rehearsal);
  const direction = migrating.declared ?? directionOf(effects, losesChanges);
  if (direction === null) throw unclear(migrating, effects);
  if (direction === 'expand' && losesChanges) throw wrongWay(migrating, takes);
  return { direction, resting: restingOf(plan, rehearsal), takes, closed };
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

function touchedIn({ effects, written }: Rehearsal, database: string): ReadonlySet<string> {
  return new Set([...(effects.get(database) ?? []).map(({ table }) => table), ...(written.get(database) ?? [])]);
}

/** By database: what the migration touches there, and what rests there. */
export function touchedTables(
  { databases }: Pick<Migrating, 'databases'>,
  rehearsal: Rehearsal,
  resting: ReadonlyMap<string, readonly string[]>,
): ReadonlyMap<string, ReadonlySet<string>> {
  return new Map(databases.map((database) => [database, new Set([...touchedIn(rehearsal, database), ...(resting.get(database) ?? [])])]));
}

function restingOf(plan: Plan, rehearsal: Rehearsal): ReadonlyMap<string, readonly string[]> {
  const resting = new Map<string, Set<string>>();
  const rest = (source: string, targets: readonly string[], tables: readonly Pick<PlanTable, 'source' | 'target'>[]): void => {
    const atSource = touchedIn(rehearsal, source);
    for (const target of targets) {
      const atTarget = touchedIn(rehearsal, target);
      const names = tables.filter((table) => atSource.has(displayName(table.source)) || atTarget.has(displayName(table.target)));
      const all = resting.get(target) ?? new Set<string>();
      for (const { target: name } of names) all.add(displayName(name));
      resting.set(target, all);
    }
  };
  for (const { flow } of namedFlows(plan.syncs)) rest(flow.source, flow.targets, flow.tables);
  for (const sync of Object.values(plan.syncs)) if (sync.mode === 'full-copy') rest(sync.source, sync.targets, sync.tables);
  return new Map([...resting].map(([target, names]) => [target, [...names].sort()]));
}

/**
 * What decides the order. Between masters every member is both ends, and its tables rest at all of them before the first one has it; so do those of a
 * full copy: any order will do.
 */
function orderedEffects(plans: readonly Plan[], { effects }: Rehearsal): readonly Effect[] {
  return [...effects].flatMap(([database, found]) =>
    found.filter((effect) => {
      const at = { database, table: effect.table };
      const isOf = (mode: PlanSync['mode']): boolean => plans.some((plan) => isIn(plan, mode, at));
      return isOf('one-way') || !(isOf('multi-master') || isOf('full-copy'));
    }),
  );
}

type Taken = { readonly name: string; readonly effect: Effect; readonly shape: TableShape; readonly hasOtherKey: boolean };

/** The captured tables of a database that something happens to. */
function capturedEffects(plan: Plan, next: Plan, { effects }: Rehearsal): ReadonlyMap<string, readonly Taken[]> {
  const found = Object.entries(plan.databases).map(([database, { captures, shapes }]) => {
    const taken = captures.flatMap(({ table }) => {
      const name = displayName(table);
      const effect = effects.get(database)?.find((each) => each.table === name);
      const shape = shapes[name];
      if (effect === undefined || shape === undefined) return [];
      const now = next.databases[database]?.shapes[effect.renamedTo ?? name]?.key ?? [];
      return [{ name, effect, shape, hasOtherKey: !effect.isGone && !isSameKey(shape.key, now, effect) }];
    });
    return [database, taken] as const;
  });
  return new Map(found);
}

/** A captured table, a column that flows, or a key: changes that no target has applied yet could not be read any more. */
function isTaken({ effect, shape, hasOtherKey }: Taken): boolean {
  return hasOtherKey || effect.isGone || effect.renamedTo !== null || effect.goneColumns.some((column) => Object.hasOwn(shape.columns, column));
}

function takesOf(plan: Plan, next: Plan, { rehearsal, closed }: { rehearsal: Rehearsal; closed: Scope['closed'] }): Scope['takes'] {
  return new Map(
    [...capturedEffects(plan, next, rehearsal)].map(([database, found]) => {
      const names = found.filter((each) => isIn(plan, 'one-way', { database, table: each.name }) && isTaken(each)).map(({ name }) => name);
      return [database, new Set(names.filter((name) => closed.get(database)?.has(name) !== true))];
    }),
  );
}

/**
 * Between masters a change is a key, and rows are read when it travels: only with the key, with the table's name (and so its capture), or with
 * columns that a rule which merges has noted does it lose its meaning. What another sync would lose of such a table counts, too. So do rows that the
 * statements change: at a member that lacks a change on its way they would be in conflict with it.
 */
function closedOf(plan: Plan, next: Plan, rehearsal: Rehearsal): Scope['closed'] {
  const captured = capturedEffects(plan, next, rehearsal);
  const isLost = (database: string, table: PlanMasterTable): boolean => {
    if (rehearsal.written.get(database)?.has(displayName(table.source)) === true) return true;
    const found = captured.get(database)?.find(({ name }) => name === displayName(table.source));
    if (found === undefined) return false;
    const { effect } = found;
    const losesNotes = recordedFor(table.rule) !== null && effect.goneColumns.length + effect.renamedColumns.length > 0;
    return found.hasOtherKey || effect.renamedTo !== null || losesNotes || (isTaken(found) && flowsOneWay(plan, database, found.name));
  };
  const closed = new Map<string, Set<string>>();
  for (let size = -1; size !== sizeOf(closed); ) {
    size = sizeOf(closed);
    for (const { sync } of masterSyncs(plan)) {
      for (const table of sync.tables) {
        const name = displayName(table.source);
        if (!sync.members.some((member) => isLost(member, table) || closed.get(member)?.has(name))) continue;
        for (const member of sync.members) closed.set(member, (closed.get(member) ?? new Set()).add(name));
      }
    }
  }
  return closed;
}

function sizeOf(closed: ReadonlyMap<string, ReadonlySet<string>>): number {
  return [...closed.values()].reduce((sum, { size }) => sum + size, 0);
}

function flowsOneWay(plan: Plan, database: string, table: string): boolean {
  return namedFlows(plan.syncs).some(
    ({ flow }) => flow.mode === 'one-way' && flow.source === database && flow.tables.some(({ source }) => displayName(source) === table),
  );
}

function isSameKey(key: readonly string[], next: readonly string[], { renamedColumns }: Effect): boolean {
  const names = new Map(renamedColumns);
  return JSON.stringify(key.map((name) => names.get(name) ?? name).sort()) === JSON.stringify([...next].sort());
}

/** @throws SarrioError where it touches a table at some members only: they could never be of one plan. */
export function refuseParts({ generated, databases, file }: Migrating, rehearsal: Rehearsal): void {
  for (const { name, sync } of masterSyncs(generated.plan)) {
    const touched = sync.tables.find(({ source }) => sync.members.some((member) => touchedIn(rehearsal, member).has(displayName(source))));
    const away = sync.members.filter((member) => !databases.includes(member));
    if (touched === undefined || away.length === 0) continue;
    throw failure('refused', {
      code: 'SAR825',
      where: `sync ${name}, table ${displayName(touched.source)}`,
      message: `${file} changes a table that is written at all members, and does not run at ${away.join(', ')}`,
      hint: 'Leave --database out, or name all members of the sync.',
    });
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
