import { displayName, quoteIdent } from '../../sql/quote.ts';
import type { CatalogTable } from './read-catalog.ts';

/** What a migration did to one table of one database, seen in the catalog before and after it. */
export type Effect = {
  /** Its name before, or, of a table that is new, after. */
  readonly table: string;
  readonly renamedTo: string | null;
  readonly isNew: boolean;
  readonly isGone: boolean;
  readonly newColumns: readonly string[];
  readonly goneColumns: readonly string[];
  readonly renamedColumns: readonly (readonly [string, string])[];
  readonly retypedColumns: readonly (readonly [name: string, from: string, to: string])[];
  /** Columns that take no null any more. */
  readonly requiredColumns: readonly string[];
  readonly keysChanged: boolean;
  /** All of its rows were written anew, with values that no other database need have computed alike. */
  readonly isRewritten: boolean;
  readonly partitionsChanged: boolean;
};

type Tables = ReadonlyMap<string, CatalogTable>;

/** Tables by oid, before and after; those that nothing happened to are left out. */
export function effectsOf(before: Tables, after: Tables): readonly Effect[] {
  const oids = new Set([...before.keys(), ...after.keys()]);
  return [...oids].flatMap((oid) => {
    const [old, now] = [before.get(oid), after.get(oid)];
    const effect = old && now ? changeOf(old, now) : wholeTable(old, now);
    return effect === null || !hasHappened(effect) ? [] : [effect];
  });
}

const NOTHING = {
  renamedTo: null,
  isNew: false,
  isGone: false,
  newColumns: [],
  goneColumns: [],
  renamedColumns: [],
  retypedColumns: [],
  requiredColumns: [],
  keysChanged: false,
  isRewritten: false,
  partitionsChanged: false,
} as const;

function wholeTable(old: CatalogTable | undefined, now: CatalogTable | undefined): Effect | null {
  if (old !== undefined) return { ...NOTHING, table: displayName(old), isGone: true };
  return now === undefined ? null : { ...NOTHING, table: displayName(now), isNew: true };
}

function changeOf(old: CatalogTable, now: CatalogTable): Effect {
  const both = [...old.columns].flatMap(([number, was]) => {
    const is = now.columns.get(number);
    return is === undefined ? [] : [{ was, is }];
  });
  const fresh = [...now.columns].filter(([number]) => !old.columns.has(number)).map(([, column]) => column);
  return {
    ...NOTHING,
    table: displayName(old),
    renamedTo: displayName(old) === displayName(now) ? null : displayName(now),
    newColumns: fresh.map(({ name }) => name),
    goneColumns: [...old.columns].filter(([number]) => !now.columns.has(number)).map(([, { name }]) => name),
    renamedColumns: both.filter(({ was, is }) => was.name !== is.name).map(({ was, is }) => [was.name, is.name] as const),
    retypedColumns: both.filter(({ was, is }) => was.type !== is.type).map(({ was, is }) => [is.name, was.type, is.type] as const),
    requiredColumns: both.filter(({ was, is }) => is.notNull && !was.notNull).map(({ is }) => is.name),
    keysChanged: old.keys !== now.keys,
    isRewritten: old.partitions === now.partitions && old.files !== now.files,
    partitionsChanged: old.partitions !== now.partitions,
  };
}

function hasHappened(effect: Effect): boolean {
  const { isNew, isGone, renamedTo, keysChanged, isRewritten, partitionsChanged } = effect;
  const lists = [effect.newColumns, effect.goneColumns, effect.renamedColumns, effect.retypedColumns, effect.requiredColumns];
  return isNew || isGone || renamedTo !== null || keysChanged || isRewritten || partitionsChanged || lists.some(({ length }) => length > 0);
}

export type Direction = 'expand' | 'contract';

/** Which databases come first: targets where something comes, sources where something goes; null where it is both. */
export function directionOf(effects: readonly Effect[], losesChanges: boolean): Direction | null {
  const takes =
    losesChanges ||
    effects.some(
      ({ isGone, goneColumns, requiredColumns, retypedColumns }) => isGone || goneColumns.length + requiredColumns.length > 0 || retypedColumns.some(narrows),
    );
  const gives = effects.some(({ isNew, newColumns, retypedColumns }) => isNew || newColumns.length > 0 || retypedColumns.some((each) => !narrows(each)));
  if (takes && gives) return null;
  return takes ? 'contract' : 'expand';
}

const WIDTHS = ['smallint', 'integer', 'bigint', 'numeric', 'text'];

/** Whether a value of the old type may not be one of the new. What is not known to be wider counts as narrower. */
function narrows([, from, to]: Effect['retypedColumns'][number]): boolean {
  const rank = (type: string): number => (/^(character varying|character)\b/.test(type) ? WIDTHS.indexOf('numeric') : WIDTHS.indexOf(type));
  const length = (type: string): number =>
    type.startsWith('character varying') ? Number(/\((\d+)\)/.exec(type)?.[1] ?? Number.POSITIVE_INFINITY) : Number.NaN;
  if (rank(from) < 0 || rank(to) < 0) return true;
  if (length(from) > 0 && length(to) > 0) return length(to) < length(from);
  return rank(to) <= rank(from);
}

/** One line for people. */
export function effectText(effect: Effect): string {
  const parts = [
    ...(effect.isNew ? ['new table'] : []),
    ...(effect.isGone ? ['table dropped'] : []),
    ...(effect.renamedTo === null ? [] : [`renamed to ${effect.renamedTo}`]),
    ...effect.newColumns.map((name) => `+ ${quoteIdent(name)}`),
    ...effect.goneColumns.map((name) => `- ${quoteIdent(name)}`),
    ...effect.renamedColumns.map(([from, to]) => `${quoteIdent(from)} is ${quoteIdent(to)}`),
    ...effect.retypedColumns.map(([name, from, to]) => `${quoteIdent(name)}: ${from} to ${to}`),
    ...effect.requiredColumns.map((name) => `${quoteIdent(name)} is NOT NULL`),
    ...(effect.keysChanged ? ['keys changed'] : []),
    ...(effect.partitionsChanged ? ['partitions changed'] : []),
  ];
  return `${effect.table}: ${parts.length === 0 ? 'rows written anew' : parts.join(', ')}`;
}
