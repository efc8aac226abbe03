import { byCodeUnit } from '../../plan/canonical.ts';
import type { Plan } from '../../plan/plan.ts';
import { displayName } from '../../sql/quote.ts';
import { isDelta } from '../5-inspect/delta-columns.ts';
import { type LiveDatabase, type LiveObject, objectKey } from '../5-inspect/live-database.ts';
import { changesEvidence } from './evidence.ts';
import { dropFunctionWithTriggers, dropObject, putIndexesBack } from './remove.sql.ts';
import { makeStep, type Step } from './step.ts';

/** Objects dropped in one transaction, so that no server runs out of lock slots. */
const CHUNK = 40;
const ORDER = { trigger: 0, function: 1, table: 2, index: 3, sequence: 4, schema: 6, other: 7 } as const;

/** What of a database's live objects is ours, what of it goes, and what belongs to others. */
export type Inventory = {
  readonly leaving: readonly LiveObject[];
  readonly foreign: readonly LiveObject[];
  /** Rows of `sarrio.installed` without an object. */
  readonly ghosts: readonly { readonly kind: string; readonly name: string }[];
};

type Stock = { readonly plan: Plan; readonly live: LiveDatabase; readonly all: boolean };

const taken = new WeakMap<LiveDatabase, Stock & { readonly inventory: Inventory }>();

/** Sorts the live objects of one database; `all` is for destroy, where the plan keeps nothing. Several ask for the same. */
export function takeInventory(options: Stock): Inventory {
  const known = taken.get(options.live);
  if (known?.plan === options.plan && known.all === options.all) return known.inventory;
  const inventory = sorted(options);
  taken.set(options.live, { ...options, inventory });
  return inventory;
}

function sorted({ plan, live, all }: Stock): Inventory {
  const planned = new Set((plan.databases[live.database]?.objects ?? []).map(objectKey));
  const rows = live.installed.filter(({ project }) => project === plan.project);
  const recorded = new Set(rows.map(objectKey));
  const isKnown = (object: LiveObject): boolean => planned.has(objectKey(object)) || recorded.has(objectKey(object));
  const functions = new Set(live.objects.filter((object) => object.kind === 'function' && isKnown(object)).map(({ bare }) => bare));
  const isOurs = (object: LiveObject): boolean => isKnown(object) || (object.trigger !== null && functions.has(object.trigger.calls));
  const standing = new Set(live.objects.map(objectKey));
  const kept = all ? new Set<string>() : planned;
  return {
    leaving: live.objects.filter((object) => isOurs(object) && !kept.has(objectKey(object))),
    foreign: live.objects.filter((object) => !isOurs(object)),
    ghosts: rows.filter((row) => !standing.has(objectKey(row)) && !kept.has(objectKey(row))),
  };
}

/** Steps that take away what the plan no longer has: triggers first, then functions, then tables, the bookkeeping and schema last. */
export function diffRemovals(options: { plan: Plan; live: LiveDatabase; all: boolean }): readonly Step[] {
  const { live } = options;
  const { leaving, foreign, ghosts } = takeInventory(options);
  const sorted = [...leaving].sort((a, b) => rank(a) - rank(b) || byCodeUnit(groupOrder(a), groupOrder(b)));
  const dropsInventory = sorted.some(isInventory);
  const hasInventory = live.objects.some(isInventory);
  const keepsSchema = foreign.length > 0;
  const steps = sorted
    .filter((object) => object.kind !== 'schema' || !keepsSchema)
    .map((object, index) => removalStep({ live, object, leaving: sorted, group: groupOf(object, index), forgets: hasInventory && rank(object) < 5 }));
  const forgotten = dropsInventory ? [] : ghosts.map((object) => ghostStep(live.database, object));
  return [...steps, ...forgotten];
}

function removalStep(options: { live: LiveDatabase; object: LiveObject; leaving: readonly LiveObject[]; group: string; forgets: boolean }): Step {
  const { live, object, leaving, group, forgets } = options;
  const locked = tableLockedBy(object, leaving);
  return makeStep({
    database: live.database,
    kind: 'remove',
    object: { kind: object.kind, name: object.name },
    group: needsCascade(object, leaving) || rebuilds(object) ? `removal of ${object.name}` : group,
    lock: locked ? { mode: 'ACCESS EXCLUSIVE', table: locked } : null,
    reason: goesWithFunction(object, leaving)
      ? 'the plan no longer has it; goes with its function, as this role does not own the table'
      : 'the plan no longer has it',
    sql: removalSql(object, leaving),
    record: forgets ? 'none' : null,
    hazards: isDelta(object) ? [{ code: 'drop-changes', object: object.name, evidence: changesEvidence(live, object.bare) }] : [],
  });
}

function removalSql(object: LiveObject, leaving: readonly LiveObject[]): string {
  if (goesWithFunction(object, leaving)) return '';
  if (rebuilds(object)) return putIndexesBack(object).text;
  return (needsCascade(object, leaving) || closesTables(object) ? dropFunctionWithTriggers(object) : dropObject(object)).text;
}

/** A trigger on a table that this role does not own can only be dropped through its function, if that goes as well. */
function goesWithFunction(object: LiveObject, leaving: readonly LiveObject[]): boolean {
  return object.trigger !== null && !object.owned && leaving.some((other) => other.kind === 'function' && other.bare === object.trigger?.calls);
}

function needsCascade(object: LiveObject, leaving: readonly LiveObject[]): boolean {
  return object.kind === 'function' && leaving.some((other) => other.trigger?.calls === object.bare && !other.owned);
}

/** What a cut-over or a migration closed is opened by it: the triggers are in no plan. */
function closesTables({ kind, bare }: LiveObject): boolean {
  return kind === 'function' && ['refuse_write', 'refuse_migrating'].includes(bare);
}

/** Indexes that a copy has set aside are built again before what knows of them goes. */
function rebuilds({ kind, bare }: LiveObject): boolean {
  return kind === 'function' && bare === 'put_index_back';
}

function tableLockedBy(object: LiveObject, leaving: readonly LiveObject[]) {
  if (object.trigger) return goesWithFunction(object, leaving) ? null : object.trigger.table;
  if (!needsCascade(object, leaving)) return null;
  return leaving.find((other) => other.trigger?.calls === object.bare)?.trigger?.table ?? null;
}

function ghostStep(database: string, object: { kind: string; name: string }): Step {
  const { kind, name } = object;
  const reason = 'the plan no longer has it, and it is gone already';
  return makeStep({ database, kind: 'remove', object: { kind, name }, group: 'removal of records', reason, sql: '', record: 'none' });
}

/** The inventory goes last but for the schema: until then it says what is still to be removed. */
function rank(object: LiveObject): number {
  return isInventory(object) ? 5 : ORDER[object.kind];
}

function isInventory(object: LiveObject): boolean {
  return object.kind === 'table' && object.bare === 'installed';
}

function groupOrder(object: LiveObject): string {
  return object.trigger ? `${displayName(object.trigger.table)} ${object.bare}` : object.name;
}

function groupOf(object: LiveObject, index: number): string {
  if (object.trigger) return displayName(object.trigger.table);
  return rank(object) >= 5 ? 'removal of the bookkeeping' : `removal ${Math.floor(index / CHUNK) + 1}`;
}
