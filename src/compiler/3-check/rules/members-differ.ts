import type { ColumnSchema, DatabaseSchema, KeySchema, TableSchema } from '../../../plan/schema-lock.ts';
import { displayName } from '../../../sql/quote.ts';
import { differenceOf } from '../member-values.ts';
import { type CheckInput, masterTables, type PlacedMaster, type Rule } from '../rule.ts';
import { typeMisfit } from '../types-fit.ts';

type Schemas = readonly (readonly [member: string, schema: TableSchema])[];

/** SAR265. */
export const memberColumnsDiffer: Rule = {
  code: 'SAR265',
  severity: 'error',
  summary: 'a table or a column is not the same at every member',
  explanation:
    'A row goes from each member to each other one and back, and must come back as it was: the same columns, types, collations, NOT NULL, identity and generated columns. The order of columns and their defaults may differ.',
  example: 'integer at east, bigint at west',
  cure: 'Make the tables alike and run sarrio pull.',
  run: (input) =>
    masterTables(input).flatMap((placed) => {
      const schemas = Object.entries(placed.table.schemas);
      const names = [...new Set(schemas.flatMap(([, { columns }]) => columns.map(({ name }) => name)))];
      const kinds = differenceOf(schemas.map(([member, schema]) => [member, kindOf(placed, member, schema)]));
      const columns = names.flatMap((name) => {
        const difference = differenceOf(schemas.map(([member, schema]) => [member, describe(columnOf(schema, name))]));
        if (difference !== null) return [`column ${name} of ${placed.label} differs: ${difference}`];
        return madeDifferently(input, schemas, name).map((misfit) => `column ${name} of ${placed.label}: ${misfit}`);
      });
      const messages = [...(kinds === null ? [] : [`${placed.label} differs: ${kinds}`]), ...columns];
      return messages.map((message) => ({ path: placed.path, message, hint: 'Make it the same at every member and run `sarrio pull`.' }));
    }),
};

/** SAR266. */
export const memberKeysDiffer: Rule = {
  code: 'SAR266',
  severity: 'error',
  summary: 'a table does not have the same unique indexes and exclusion constraints at every member',
  explanation: 'A row that one member takes and another one refuses can never be the same at both.',
  example: 'a unique index on email at east only',
  cure: 'Make it at all members, or at none.',
  run: (input) =>
    masterTables(input).flatMap(({ table, label, path }) => {
      const schemas = Object.entries(table.schemas).map(([member, schema]) => [member, constraintsOf(schema)] as const);
      const all = [...new Set(schemas.flatMap(([, constraints]) => [...constraints]))];
      return all.flatMap((constraint) => {
        const difference = differenceOf(schemas.map(([member, constraints]) => [member, constraints.has(constraint) ? 'there' : 'missing']));
        if (difference === null) return [];
        return [{ path, message: `${constraint} of ${label} differs: ${difference}`, hint: 'Make it the same at every member and run `sarrio pull`.' }];
      });
    }),
};

function columnOf({ columns }: TableSchema, wanted: string): ColumnSchema | undefined {
  return columns.find(({ name }) => name === wanted);
}

function describe(column: ColumnSchema | undefined): string {
  if (column === undefined) return 'missing';
  const { type, collation, notNull, identity, generated } = column;
  return [
    type,
    ...(collation === null ? [] : [`collate ${collation}`]),
    ...(notNull ? ['not null'] : []),
    ...(identity === 'none' ? [] : [`identity ${identity}`]),
    ...(generated === 'none' ? [] : [`generated ${generated}`]),
  ].join(' ');
}

function kindOf({ table }: PlacedMaster, member: string, schema: TableSchema): string {
  const kind = { table: 'a table', partitioned: 'a partitioned table', foreign: 'a foreign table', view: 'a view', 'materialized-view': 'a materialized view' }[
    schema.kind
  ];
  return table.sources[member]?.capture === 'row' ? `${kind} of an inheritance hierarchy` : kind;
}

/** The types have one name and may still be made of different things. */
function madeDifferently({ lock }: CheckInput, schemas: Schemas, column: string): readonly string[] {
  const typed = schemas.flatMap(([member, schema]) => {
    const [type, database] = [columnOf(schema, column)?.type, lock.databases[member]];
    return type === undefined || database === undefined ? [] : [{ member, type, database }];
  });
  return typed.flatMap((from) => typed.flatMap((to) => misfit(from, to)));
}

type Typed = { readonly member: string; readonly type: string; readonly database: DatabaseSchema };

function misfit(from: Typed, to: Typed): readonly string[] {
  const found = from.member === to.member ? null : typeMisfit(from, to);
  return found === null ? [] : [`from ${from.member} to ${to.member}, ${found}`];
}

function constraintsOf({ keys, otherUnique = [], exclusions = [] }: TableSchema): ReadonlySet<string> {
  return new Set([
    ...keys.map(keyText),
    ...otherUnique.map(({ definition }) => `the unique index ${definition}`),
    ...exclusions.map(({ definition }) => `the constraint ${definition}`),
  ]);
}

/** The key of any order of columns, whatever it is called. */
function keyText({ columns, deferrable }: KeySchema): string {
  const parts = columns.map(({ name, equality, folding }) => {
    const operator = equality.schema === 'pg_catalog' ? '' : ` with ${displayName(equality)}`;
    return `${name}${folding === null ? '' : ` collate ${folding}`}${operator}`;
  });
  return `the ${deferrable ? 'deferrable ' : ''}unique index on (${parts.sort().join(', ')})`;
}
