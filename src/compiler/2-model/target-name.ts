import type { ModelTable } from './model.ts';

/** Where a source column goes as it is: its name on the target, or null when it does not flow. */
export function targetNameOf(table: ModelTable, sourceColumn: string): string | null {
  const column = table.columns.find(({ from }) => from.kind === 'column' && from.column.name === sourceColumn);
  return column?.target ?? null;
}
