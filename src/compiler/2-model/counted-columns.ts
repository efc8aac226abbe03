import type { ColumnSchema, SequenceSchema, TableSchema } from '../../plan/schema-lock.ts';
import type { ModelOneWay, ModelTable } from './model.ts';

/** A column that counts by sequences at the source, as one target has it. */
export type CountedColumn = {
  readonly table: ModelTable;
  readonly column: ColumnSchema;
  readonly from: readonly SequenceSchema[];
  readonly target: string;
  readonly targetTable: TableSchema;
  readonly targetColumn: ColumnSchema;
  /** None where the target's column counts by nothing. */
  readonly to: readonly SequenceSchema[];
};

/** Every such column of a sync, once for each target that has it. */
export function countedColumns({ tables }: ModelOneWay): readonly CountedColumn[] {
  return tables.flatMap((table) =>
    table.columns.flatMap(({ from, target: name }) =>
      from.kind === 'computed' || from.column.sequences === undefined ? [] : atTargets({ table, column: from.column, from: from.column.sequences, name }),
    ),
  );
}

type AtSource = Pick<CountedColumn, 'table' | 'column' | 'from'> & { readonly name: string };

function atTargets({ table, column, from, name }: AtSource): readonly CountedColumn[] {
  return Object.entries(table.targets).flatMap(([target, targetTable]) => {
    const targetColumn = targetTable.columns.find((each) => each.name === name);
    return targetColumn === undefined ? [] : [{ table, column, from, target, targetTable, targetColumn, to: targetColumn.sequences ?? [] }];
  });
}
