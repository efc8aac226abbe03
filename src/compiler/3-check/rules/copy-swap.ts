import type { TableSchema } from '../../../plan/schema-lock.ts';
import { displayName } from '../../../sql/quote.ts';
import { modelFlows } from '../../2-model/model.ts';
import { type CheckInput, copiedTables, type PlacedCopy, type Rule } from '../rule.ts';

/** SAR324. */
export const copySwap: Rule = {
  code: 'SAR324',
  severity: 'error',
  summary: 'a table that is swapped for a new one is no table that could be',
  explanation:
    'Partitions, tables that inherit, and what captures a table for another sync belong to the table that stands there, not to its name. What the schema lock does not know (views, publications, rules …) the copy itself refuses, with every reason, before it loads anything.',
  example: "method: 'swap' for a partition",
  cure: 'Use another method.',
  run: (input) =>
    copiedTables(input).flatMap((placed) =>
      placed.sync.method !== 'swap'
        ? []
        : Object.entries(placed.table.targets).flatMap(([database, target]) =>
            reasons(input, { placed, database, target }).map((reason) => ({
              path: placed.path,
              message: `${displayName(target)} in target '${database}' ${reason}, so method 'swap' cannot take it`,
              hint: 'Use another method.',
            })),
          ),
    ),
};

type Subject = { readonly placed: PlacedCopy; readonly database: string; readonly target: TableSchema };

function reasons({ model, lock }: CheckInput, { database, target }: Subject): readonly string[] {
  const name = displayName(target);
  const heirs = (lock.databases[database]?.tables ?? []).filter(({ inherits }) => inherits.some((each) => displayName(each) === name));
  const readers = model.syncs.filter((sync) =>
    modelFlows(sync).some(({ source, tables }) => source === database && tables.some((table) => displayName(table.source) === name)),
  );
  return [
    ...(target.kind === 'partitioned' ? ['is partitioned'] : []),
    ...(target.partitionOf === null ? [] : ['is a partition']),
    ...(target.inherits.length > 0 || heirs.length > 0 ? ['is part of an inheritance hierarchy'] : []),
    ...readers.map(({ name: sync }) => `is captured for sync '${sync}'`),
  ];
}
