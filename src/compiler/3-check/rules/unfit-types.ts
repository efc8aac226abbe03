import { displayName } from '../../../sql/quote.ts';
import { type CheckInput, type Finding, placedTables, type PlacedTable, type Rule } from '../rule.ts';
import { builtInParts, INCOMPARABLE, LOCAL, WITHOUT_INPUT } from '../special-types.ts';

/** SAR240. */
export const typeWithoutInput: Rule = {
  code: 'SAR240',
  severity: 'error',
  summary: 'a column has a type of which no value can be written',
  explanation: 'Some types of the system catalogs are made by the server alone; it takes no value of them from outside.',
  example: 'a column of type pg_node_tree',
  cure: 'Leave it out with columns.omit.',
  run: (input) =>
    flowingTypes(input, WITHOUT_INPUT).map(({ table, path, column, type }): Finding => {
      const message = `column ${column} of ${displayName(table.source)} holds ${type}, which the server takes from nobody`;
      return { path, message, hint: 'Leave the column out with columns.omit, or send it as text with columns.compute.' };
    }),
};

/** SAR241. */
export const localMeaning: Rule = {
  code: 'SAR241',
  severity: 'warning',
  summary: 'a column has a type whose values mean something in their own database only',
  explanation:
    'Numbers of objects and transactions are carried as they are and mean nothing, or something else, elsewhere. Names of objects (regclass and the like) are carried as names: where the target has no such object, the stream stops.',
  example: 'a column of type oid or regclass',
  cure: 'Leave it out, or be sure that the target has the same objects.',
  run: (input) =>
    flowingTypes(input, LOCAL).map(({ table, path, column, type }): Finding => {
      const how = LOCAL.get(type) === 'name' ? 'names of what must exist on the target too' : 'numbers that mean something in their own database only';
      const message = `column ${column} of ${displayName(table.source)} holds ${type}: ${how}`;
      return { path, message, hint: 'If nobody on the target looks at what they mean, all is well. Else leave the column out with columns.omit.' };
    }),
};

/** SAR242. */
export const keyWithoutEquality: Rule = {
  code: 'SAR242',
  severity: 'error',
  summary: 'a key column has a type whose values cannot be compared',
  explanation: 'PostgreSQL makes an index on an array or a composite type of anything, and fails once two values meet: equal keys could not be found.',
  example: "key: ['tags']   // text[] of a type without order",
  cure: 'Choose another key.',
  run: (input) =>
    placedTables(input).flatMap(({ flow, table, path }) =>
      table.key.columns.flatMap(({ name }): Finding[] => {
        const type = table.source.columns.find((column) => column.name === name)?.type ?? '';
        const bad = partsOf(input, flow.source, type).find((part) => INCOMPARABLE.has(part));
        if (bad === undefined) return [];
        const message = `key column ${name} of ${displayName(table.source)} is ${type}, and values of ${bad} cannot be compared`;
        return [{ path, message, hint: 'Choose another key with `key`, or leave the table out.' }];
      }),
    ),
};

/** A column that flows, and the one of certain types that it has or is made of. */
type Flowing = PlacedTable & { readonly column: string; readonly type: string };

function flowingTypes(input: CheckInput, types: { readonly has: (type: string) => boolean }): readonly Flowing[] {
  return placedTables(input).flatMap((placed) =>
    placed.table.columns.flatMap(({ from }): Flowing[] => {
      if (from.kind === 'computed') return [];
      const type = partsOf(input, placed.flow.source, from.column.type).find((part) => types.has(part));
      return type === undefined ? [] : [{ ...placed, column: from.column.name, type }];
    }),
  );
}

function partsOf({ lock }: CheckInput, source: string, type: string): readonly string[] {
  const database = lock.databases[source];
  return database ? builtInParts(type, database) : [];
}
