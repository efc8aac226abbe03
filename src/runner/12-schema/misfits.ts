import { displayName, quoteIdent } from '../../sql/quote.ts';
import { withPartitions, type WantedTable } from './wanted-table.ts';

/** Something of a table that cannot be made as it is. */
export type Misfit = { readonly code: 'SAR440' | 'SAR442'; readonly message: string; readonly hint: string };

/** What cannot be rendered exactly (SAR440), and what a server of this major does not have (SAR442). */
export function misfits(table: WantedTable, major: number): readonly Misfit[] {
  return withPartitions(table).flatMap((each) => [...unrenderable(each), ...tooNew(each, major)]);
}

const BY_HAND = 'Make this table on the target by hand, or take it out of the sync.';

function unrenderable(table: WantedTable): readonly Misfit[] {
  const { definition, wish } = table;
  const shown = displayName(definition);
  const flowing = new Set(definition.columns.map(({ name }) => name));
  const isCut = wish.columns.length > 0 && definition.partitionKey !== null && definition.partitionColumns.some((name) => !flowing.has(name));
  const faults: readonly (readonly [boolean, string])[] = [
    [definition.inherits, 'is part of an inheritance hierarchy'],
    [definition.parent !== null && definition.kind === 'f', 'is a partition that is a foreign table'],
    [definition.isTyped, 'is a typed table (CREATE TABLE … OF)'],
    [definition.method !== null && definition.method !== 'heap', `is stored by the access method ${definition.method ?? ''}`],
    [isCut, 'is partitioned by a column that does not flow'],
    [definition.partitionExpressions && table.leftOut.length > 0, 'is partitioned by an expression, and some of its columns do not flow'],
    [definition.columns.length === 0, 'has no column that flows'],
    ...definition.columns.map((column) => {
      const ownIdentity = definition.parent !== null && column.identity !== '' && column.sequences?.some(({ isIdentity }) => isIdentity) === true;
      return [ownIdentity, `is a partition whose column ${quoteIdent(column.name)} has an identity of its own`] as const;
    }),
    ...definition.constraints.map((part) => {
      const fits = part.prefix === null || part.definition.startsWith(part.prefix);
      const isRenamed = part.setsColumns && wish.columns.some((each) => each.kind === 'column' && each.from !== each.name);
      return [!fits || isRenamed, `has the foreign key ${quoteIdent(part.name)}, ${part.definition}, which cannot be written with other names`] as const;
    }),
    ...definition.indexes.map(
      ({ name, definition: text, prefix }) => [!text.startsWith(prefix), `has the index ${quoteIdent(name)}, ${text}, which was not understood`] as const,
    ),
    ...definition.statistics.map(
      ({ name, definition: text, suffix }) => [!text.endsWith(suffix), `has the statistics ${quoteIdent(name)}, ${text}, which were not understood`] as const,
    ),
  ];
  return faults.filter(([is]) => is).map(([, what]) => ({ code: 'SAR440', message: `${shown} ${what}`, hint: BY_HAND }));
}

function tooNew({ definition }: WantedTable, major: number): readonly Misfit[] {
  const shown = displayName(definition);
  const faults: readonly (readonly [since: number, is: boolean, what: string])[] = [
    ...definition.columns.map(
      ({ name, generated }) => [18, generated === 'v', `the column ${quoteIdent(name)}, which is generated when it is read (VIRTUAL)`] as const,
    ),
    ...definition.columns.map(
      ({ name, notNullConstraint }) => [18, notNullConstraint?.noInherit === true, `NOT NULL NO INHERIT of ${quoteIdent(name)}`] as const,
    ),
    ...definition.constraints.flatMap((part) => [
      [15, part.nullsEqual, `the constraint ${quoteIdent(part.name)}, for which NULLs are equal (NULLS NOT DISTINCT)`] as const,
      [18, part.isPeriod, `the constraint ${quoteIdent(part.name)} over periods (${part.kind === 'f' ? 'PERIOD' : 'WITHOUT OVERLAPS'})`] as const,
      [18, !part.isEnforced, `the constraint ${quoteIdent(part.name)}, which is NOT ENFORCED`] as const,
      [15, part.setsColumns, `the foreign key ${quoteIdent(part.name)}, which sets some of its columns only`] as const,
    ]),
    ...definition.indexes.map(
      ({ name, nullsEqual }) => [15, nullsEqual, `the index ${quoteIdent(name)}, for which NULLs are equal (NULLS NOT DISTINCT)`] as const,
    ),
    ...definition.columns.flatMap(({ name, sequences }) =>
      (sequences ?? []).map(({ sequence }) => [15, sequence.persistence === 'u', `the unlogged sequence of ${quoteIdent(name)}`] as const),
    ),
  ];
  return faults
    .filter(([since, is]) => is && major < since)
    .map(([since, , what]) => ({
      code: 'SAR442',
      message: `${shown} has ${what}: the target is PostgreSQL ${major}, and this needs ${since}`,
      hint: `Upgrade the target, leave the column out with columns.omit, or make the table there by hand in another way.`,
    }));
}
