import type { TextRows } from './reading-rows.ts';
import { markFilled, wakeReader } from './target.sql.ts';
import type { TableWork } from './work.ts';
import type { Statement } from '../postgres/statement.ts';

/** A table with its rows in memory. */
export type FewRows = { readonly work: TableWork; readonly rows: TextRows };

/** How rows are written: deletes, updates and inserts as they are, or every key deleted and then inserted, which solves swaps of unique values. */
export type WriteForm = 'merge' | 'replace';

/** The statements for a few rows of one table, all with the same JSON parameter. */
export function fewRowsStatements({ work, rows }: FewRows, form: WriteForm): readonly Statement[] {
  const { apply } = work;
  const parameter = rowsAsJson(work, rows);
  const named = (name: string, text: string): Statement => ({ name: `sarrio_${name}_${work.ordinal}`, text, values: [parameter] });
  const merged = form === 'merge' && apply.mergeRows !== null;
  const writes =
    merged && apply.mergeRows !== null ? [named('merge', apply.mergeRows)] : [named('delete', apply.deleteRows), named('insert', apply.insertRows)];
  return apply.relay ? [...writes, named('relay', apply.relay.rows), ...wakes(work)] : writes;
}

/** After a relay, what the triggers of the target would do: say that the delta table is not empty, wake runners that read it as a source. */
export function wakes({ apply }: Pick<TableWork, 'apply'>): readonly Statement[] {
  const { relay } = apply;
  if (relay === null) return [];
  return [{ text: markFilled, values: [relay.filled] }, ...relay.wakes.map(({ sync, sequence }) => ({ text: wakeReader, values: [sync, sequence] }))];
}

/** Values stay the text that the server wrote: no number and no date is ever read here. */
function rowsAsJson(work: TableWork, rows: TextRows): string {
  const names = ['sarrio_present', ...work.table.columns.map(({ name }) => name)];
  return JSON.stringify(rows.map((row) => Object.fromEntries(names.map((name, index) => [name, row[index] ?? null]))));
}
