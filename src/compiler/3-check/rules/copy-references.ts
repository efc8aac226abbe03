import type { TableSchema } from '../../../plan/schema-lock.ts';
import { displayName } from '../../../sql/quote.ts';
import { type CheckInput, copiedTables, type Finding, type PlacedCopy, type Rule } from '../rule.ts';

/** SAR323. */
export const copyReferences: Rule = {
  code: 'SAR323',
  severity: 'error',
  summary: 'a table that is truncated or swapped is referenced by a foreign key',
  explanation:
    'PostgreSQL truncates a table only together with all that reference it, and a foreign key that points to a table cannot be handed to a new one. The other methods leave the table in its place; whether the foreign key holds is looked at before the commit.',
  example: "method: 'truncate' for customers, which orders points to",
  cure: "Use method 'delete' or 'changed-only'.",
  run: (input) => copiedTables(input).flatMap((placed) => placed.flow.targets.flatMap((database) => findings(input, placed, database))),
};

function findings(input: CheckInput, placed: PlacedCopy, database: string): readonly Finding[] {
  const { sync, table, path } = placed;
  const name = displayName(table.targetName);
  const pointing = (input.lock.databases[database]?.tables ?? []).filter(({ references }) => references.some((each) => displayName(each) === name));
  const copied = new Set(sync.tables.map(({ targetName }) => displayName(targetName)));
  const isBad = (other: TableSchema): boolean => (sync.method === 'truncate' ? !copied.has(displayName(other)) : displayName(other) !== name);
  if (sync.method !== 'truncate' && sync.method !== 'swap') return [];
  return pointing.filter(isBad).map((other) => ({
    path,
    message: `${displayName(other)} in target '${database}' has a foreign key to ${name}, so method '${sync.method}' cannot take it`,
    hint:
      sync.method === 'truncate'
        ? 'Copy both tables in this sync, or use another method.'
        : "Use method 'delete' or 'changed-only', or drop the foreign key there.",
  }));
}
