import fc from 'fast-check';
import type { TableConfig } from '../../src/index.ts';
import type { Compared } from './compare.ts';
import { TWO_SPELLINGS, TYPE_VALUES } from './type-values.ts';

/** A table that nobody chose: how to make it on both sides, what the config says of it, and what must be equal. */
export type RandomTable = {
  readonly name: string;
  readonly source: string;
  readonly target: string;
  readonly config: TableConfig;
  readonly compared: Compared;
  /** Columns that statements may set, with their types; `g` is always one. */
  readonly columns: readonly Column[];
  readonly key: readonly string[];
  /** A column with a unique index of its own. */
  readonly unique: 'none' | 'immediate' | 'deferrable';
};

type Column = { readonly name: string; readonly type: string; readonly mayBeNull: boolean };

type Shape = {
  readonly keyTypes: readonly string[];
  readonly gInKey: boolean;
  readonly types: readonly string[];
  readonly partitions: Partitions;
  readonly targetPartitions: Partitions;
  readonly unique: RandomTable['unique'];
  readonly deferrableKey: boolean;
  readonly identity: 'none' | 'always' | 'by default';
  readonly generated: 'none' | 'both' | 'source';
  readonly otherOrder: boolean;
  readonly dropped: boolean;
  readonly extra: boolean;
  readonly where: boolean;
  readonly renamed: boolean;
  readonly computed: boolean;
  readonly missing: boolean;
};

type Partitions = 'none' | 'hash' | 'list';

const SELDOM = { arbitrary: fc.constant(true), weight: 1 } as const;
const seldom = fc.oneof(SELDOM, { arbitrary: fc.constant(false), weight: 3 });
const partitions = fc.oneof({ arbitrary: fc.constant<Partitions>('none'), weight: 4 }, fc.constant<Partitions>('hash'), fc.constant<Partitions>('list'));

/** Tables over all types; `keyable` are those of which a key can be made. */
export function randomTable(name: string, keyable: readonly string[]): fc.Arbitrary<RandomTable> {
  const keyType = fc.oneof(fc.constantFrom(...Object.keys(TWO_SPELLINGS)), fc.constantFrom(...keyable));
  return fc
    .record<Shape>({
      keyTypes: fc.array(keyType, { maxLength: 2, size: 'max' }),
      gInKey: fc.boolean(),
      types: fc.array(fc.constantFrom(...Object.keys(TYPE_VALUES)), { minLength: 1, maxLength: 8, size: 'max' }),
      partitions,
      targetPartitions: partitions,
      unique: fc.constantFrom('none', 'none', 'immediate', 'deferrable'),
      deferrableKey: seldom,
      identity: fc.constantFrom('none', 'none', 'always', 'by default'),
      generated: fc.constantFrom('none', 'none', 'both', 'source'),
      otherOrder: fc.boolean(),
      dropped: seldom,
      extra: seldom,
      where: seldom,
      renamed: seldom,
      computed: seldom,
      missing: seldom,
    })
    .map((shape) => tableOf(name, shape));
}

function tableOf(name: string, given: Shape): RandomTable {
  const gInKey = given.gInKey || given.keyTypes.length === 0 || given.partitions !== 'none' || given.targetPartitions !== 'none';
  // A unique index of a partitioned table would have to hold the column that it is partitioned by.
  const unique = given.partitions === 'none' && given.targetPartitions === 'none' ? given.unique : 'none';
  const keys = given.keyTypes.map((type, index) => ({ name: `k${index}`, type, mayBeNull: false }));
  const values = given.types.map((type, index) => ({ name: `c${index}`, type, mayBeNull: !REFUSES_NULL.has(type) }));
  const key = [...keys.map((column) => column.name), ...(gInKey ? ['g'] : [])];
  const sides = sideParts({ given, keys, values, key, unique });
  const target = given.renamed ? `${name} elsewhere` : name;
  return {
    name,
    key,
    unique,
    columns: [...keys, { name: 'g', type: 'integer', mayBeNull: false }, ...values],
    source: create(name, { ...sides.source, partitions: given.partitions, otherOrder: false, dropped: given.dropped }),
    target: create(target, { ...sides.target, partitions: given.targetPartitions, otherOrder: given.otherOrder, dropped: false }),
    config: {
      table: `public."${name}"`,
      missingColumns: 'omit',
      ...(given.renamed ? { rename: `public."${target}"` } : {}),
      ...(given.where ? { where: FILTER } : {}),
      columns: { ...(given.renamed ? { rename: { c0: 'C Ö "q"' } } : {}), ...(given.computed ? { compute: { computed: COMPUTED } } : {}) },
    },
    compared: { source: `public."${name}"`, target: `public."${target}"`, columns: sides.compared, ...(given.where ? { where: FILTER } : {}) },
  };
}

const REFUSES_NULL: ReadonlySet<string> = new Set(['public.moods']);
const FILTER = '(g % 3 <> 1 or g is null)';
const COMPUTED = "g * 2 || 'x'";

type Side = { readonly columns: readonly string[]; readonly constraints: readonly string[] };

function sideParts(parts: { given: Shape; keys: readonly Column[]; values: readonly Column[]; key: readonly string[]; unique: RandomTable['unique'] }) {
  const { given, keys, values, key, unique } = parts;
  const renamed = (column: string): string => (given.renamed && column === 'c0' ? '"C Ö ""q"""' : column);
  const onTarget = given.missing ? values.slice(0, -1) : values;
  const plain = (list: readonly Column[], naming: (name: string) => string): string[] =>
    list.map(({ name, type, mayBeNull }) => `${naming(name)} ${type}${mayBeNull ? '' : ' not null'}`);
  const identity = given.identity === 'none' ? [] : [`n bigint generated ${given.identity} as identity`];
  const generated = 'twice integer generated always as (g * 2) stored';
  const own = ['g integer not null', ...(unique === 'none' ? [] : ['u integer']), ...identity];
  const deferred = given.deferrableKey ? ' deferrable' : '';
  const source: Side = {
    columns: [...plain(keys, (name) => name), ...own, ...plain(values, (name) => name), ...(given.generated === 'none' ? [] : [generated])],
    constraints: [`primary key (${key.join(', ')})${deferred}`, ...(unique === 'none' ? [] : [`unique (u)${unique === 'deferrable' ? ' deferrable' : ''}`])],
  };
  const target: Side = {
    columns: [
      ...plain(keys, renamed),
      ...own,
      ...plain(onTarget, renamed),
      ...(given.generated === 'both' ? [generated] : given.generated === 'source' ? ['twice integer'] : []),
      ...(given.computed ? ['computed text'] : []),
      ...(given.extra ? ["extra text not null default 'd'"] : []),
    ],
    constraints: [`primary key (${key.join(', ')})`, ...(unique === 'none' ? [] : ['unique (u)'])],
  };
  const same = [...keys, ...onTarget].map(({ name }) => [renamed(name), name] as const);
  const compared = Object.fromEntries([
    ...same.map(([there, here]) => [there.replace(/^"(.*)"$/, '$1').replaceAll('""', '"'), here] as const),
    ...['g', ...(unique === 'none' ? [] : ['u']), ...(given.identity === 'none' ? [] : ['n']), ...(given.generated === 'none' ? [] : ['twice'])].map(
      (each) => [each, each] as const,
    ),
    ...(given.computed ? [['computed', COMPUTED] as const] : []),
    ...(given.extra ? [['extra', "'d'"] as const] : []),
  ]);
  return { source, target, compared };
}

function create(name: string, side: Side & { partitions: Partitions; otherOrder: boolean; dropped: boolean }): string {
  const columns = side.otherOrder ? [...side.columns].reverse() : [...side.columns];
  const dropped = side.dropped ? ['gone text'] : [];
  const by = side.partitions === 'none' ? '' : ` partition by ${side.partitions} (g)`;
  return [
    `create table public."${name}" (${[...dropped, ...columns, ...side.constraints].join(', ')})${by};`,
    ...(side.dropped ? [`alter table public."${name}" drop column gone;`] : []),
    ...partitionsOf(name, side.partitions),
  ].join('\n');
}

function partitionsOf(name: string, partitions: Partitions): string[] {
  const part = (number: number, bound: string): string => `create table public."${name} part ${number}" partition of public."${name}" ${bound};`;
  if (partitions === 'hash') return [0, 1, 2].map((remainder) => part(remainder, `for values with (modulus 3, remainder ${remainder})`));
  if (partitions === 'list') return [part(0, 'for values in (1, 2, 3)'), part(1, 'for values in (4, 5)'), part(2, 'default')];
  return [];
}
