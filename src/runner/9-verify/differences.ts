import type { Session } from '../postgres/session.ts';
import type { StreamTable } from '../8-round/work.ts';
import type { Difference, DifferenceKind, Differences } from './table-result.ts';
import type { Row } from '../postgres/statement.ts';

/** Reads what the comparison left in the session's table of differences: the counts, and the first `limit` keys. */
export async function readDifferences(target: Session, { table, verify }: StreamTable, limit: number): Promise<Differences> {
  const counts = (await target.query(verify.countDifferences)).rows;
  const columns = (await target.query(verify.countColumns)).rows;
  const [listed] = await target.batch([{ text: verify.listDifferences, values: [String(limit)] }]);
  const names = table.columns.map(({ name }) => name);
  return {
    missing: countOf(counts, 'missing'),
    extra: countOf(counts, 'extra'),
    different: countOf(counts, 'different'),
    inFlight: countOf(counts, 'in-flight'),
    columns: columns.map((row) => ({ column: names[Number(row['column']) - 1] ?? '', rows: Number(row['rows']) })),
    keys: (listed?.lists ?? []).map((list) => difference(list, { names, key: targetKeyNames(table) })),
  };
}

/** Key columns by their names on the target. */
function targetKeyNames({ key, columns }: StreamTable['table']): readonly string[] {
  return key.map((name) => columns.find(({ from }) => 'column' in from && from.column === name)?.name ?? name);
}

function countOf(rows: readonly Row[], kind: DifferenceKind | 'in-flight'): number {
  return Number(rows.find((row) => row['kind'] === kind)?.['rows'] ?? 0);
}

function difference(list: readonly (string | null)[], table: { names: readonly string[]; key: readonly string[] }): Difference {
  const [kind, columns, ...key] = list;
  return {
    kind: kindOf(kind ?? ''),
    columns: kind === 'different' ? numbers(columns ?? '').map((number) => table.names[number - 1] ?? '') : [],
    key: Object.fromEntries(table.key.map((name, index) => [name, key[index] ?? ''])),
  };
}

function kindOf(text: string): DifferenceKind {
  if (text === 'missing' || text === 'extra' || text === 'different') return text;
  throw new Error(`not a kind of difference: ${text}`);
}

/** `{1,3}` */
function numbers(array: string): readonly number[] {
  return array.replace(/[{}]/g, '').split(',').filter(Boolean).map(Number);
}
