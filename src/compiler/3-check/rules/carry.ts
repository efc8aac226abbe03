import type { ColumnSchema } from '../../../plan/schema-lock.ts';
import { displayName } from '../../../sql/quote.ts';
import { type CountedColumn, countedColumns } from '../../2-model/counted-columns.ts';
import type { ModelOneWay } from '../../2-model/model.ts';
import { type CheckInput, type Finding, masterTables, type Rule } from '../rule.ts';

/** SAR277. */
export const nothingToCarryTo: Rule = {
  code: 'SAR277',
  severity: 'warning',
  summary: 'a column counts by a sequence at the source of a carried sync, but by none at a target',
  explanation: 'The target would have no next value for the column when it takes over.',
  example: 'id is serial on east and plain integer on west',
  cure: 'Give the column a sequence on the target and run sarrio pull.',
  run: (input) =>
    carryingSyncs(input).flatMap((sync) =>
      countedColumns(sync).flatMap((counted): readonly Finding[] => {
        const { column, target, targetTable, to } = counted;
        if (to.length > 0 || isUnknown(counted.targetColumn)) return [];
        const message = `column ${column.name} counts by ${counted.from.map(displayName).join(', ')}, but in '${target}' column ${counted.targetColumn.name} of ${displayName(targetTable)} counts by no sequence`;
        return [
          { path: pathOf(input, sync, counted), message, hint: `Give it one in '${target}' and run \`sarrio pull\`, if '${target}' is ever to take over.` },
        ];
      }),
    ),
};

/** SAR278. */
export const carriedUnknown: Rule = {
  code: 'SAR278',
  severity: 'error',
  summary: 'it is not known which sequence a column of a carried sync counts by',
  explanation: 'A default that looks its sequence up by a text leaves no trace in the catalog, nor is it in a lock file of before sequences were read.',
  example: "default nextval('order_id_seq'::text)",
  cure: "default nextval('order_id_seq'::regclass), then sarrio pull.",
  run: (input) =>
    carryingSyncs(input).flatMap((sync) =>
      sync.tables.flatMap((table) => {
        const flowing = table.columns.flatMap(({ from }) => (from.kind === 'column' ? [from.column] : []));
        const path = input.places.get(table) ?? ['syncs', sync.name];
        const unknown = [
          ...flowing.filter(isUnknown).map(({ name }) => `column ${name} of ${displayName(table.source)} in '${sync.source}'`),
          ...Object.entries(table.targets).flatMap(([target, schema]) =>
            schema.columns
              .filter((column) => isUnknown(column) && table.columns.some((each) => each.target === column.name && each.from.kind === 'column'))
              .map(({ name }) => `column ${name} of ${displayName(schema)} in '${target}'`),
          ),
        ];
        return unknown.map((what) => ({
          path,
          message: `the schema lock does not say which sequence ${what} counts by`,
          hint: "Run `sarrio pull`; where that does not help, let its default be nextval('…'::regclass).",
        }));
      }),
    ),
};

/** SAR279. */
export const carriedAndInterleaved: Rule = {
  code: 'SAR279',
  severity: 'error',
  summary: 'a sequence would be carried by one sync and interleaved by another',
  explanation: 'Between masters a sequence gives the values of its own slot; one that is brought to the values of another database would leave it.',
  example: 'a sequence that a multi-master sync interleaves, on the target of a carried one',
  cure: 'Give the two tables sequences of their own.',
  run: (input) => {
    const interleaved = new Map(interleavedIn(input));
    return carryingSyncs(input).flatMap((sync) =>
      countedColumns(sync).flatMap((counted) =>
        counted.to.flatMap((sequence): readonly Finding[] => {
          const other = interleaved.get(JSON.stringify([counted.target, displayName(sequence)]));
          if (other === undefined) return [];
          const message = `sequence ${displayName(sequence)} of '${counted.target}' counts in steps for sync '${other}', so it cannot be carried`;
          return [{ path: pathOf(input, sync, counted), message, hint: 'Give the two tables sequences of their own.' }];
        }),
      ),
    );
  },
};

function interleavedIn(input: CheckInput): readonly (readonly [string, string])[] {
  return masterTables(input).flatMap(({ sync, table }) => {
    if (sync.sequences === null || sync.sequences === 'ignore') return [];
    return Object.entries(table.schemas).flatMap(([member, { columns }]) =>
      columns.flatMap(({ sequences = [] }) => sequences.map((sequence) => [JSON.stringify([member, displayName(sequence)]), sync.name] as const)),
    );
  });
}

function carryingSyncs({ model }: CheckInput): readonly ModelOneWay[] {
  return model.syncs.flatMap((sync) => (sync.mode === 'one-way' && sync.sequences !== null && sync.sequences !== 'ignore' ? [sync] : []));
}

function isUnknown({ identity, keyDefault = '', sequences = [] }: ColumnSchema): boolean {
  return sequences.length === 0 && (identity !== 'none' || keyDefault.includes('nextval('));
}

function pathOf({ places }: CheckInput, sync: ModelOneWay, { table }: CountedColumn) {
  return places.get(table) ?? ['syncs', sync.name];
}
