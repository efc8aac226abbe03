import { displayName, quoteIdent } from '../../sql/quote.ts';
import type { ConstraintDefinition } from './table-definition.ts';
import { withPartitions, type WantedTable } from './wanted-table.ts';

/** Tables with the foreign keys that the target can hold, and what stands there for the tables that they point to. */
export type KeptKeys = {
  readonly tables: readonly WantedTable[];
  readonly find: (reference: string) => { readonly name: string; readonly table: WantedTable | undefined };
  readonly notes: readonly string[];
};

/** For each source: its tables, and those of them that are made. A key that the target's rows could not satisfy is left out, and that is said. */
export function leaveOutKeys(sources: readonly { readonly all: readonly WantedTable[]; readonly made: readonly WantedTable[] }[]): readonly KeptKeys[] {
  return sources.map(({ all, made }) => {
    const known = new Map(all.flatMap(withPartitions).map((table) => [displayName(table.definition), table]));
    const tables = made.flatMap(withPartitions).map((table) => {
      const gone = table.definition.constraints.flatMap((part) => {
        const reason = part.kind === 'f' ? reasonAgainst(part, table, known) : null;
        return reason === null ? [] : [{ part, reason }];
      });
      const constraints = table.definition.constraints.filter((part) => !gone.some((each) => each.part === part));
      return { table: { ...table, definition: { ...table.definition, constraints } }, notes: gone.map(({ part, reason }) => note(table, part, reason)) };
    });
    return {
      tables: tables.map(({ table }) => table),
      find: (reference: string) => {
        const table = known.get(reference);
        return { name: table ? displayName(table.name) : reference, table };
      },
      notes: tables.flatMap(({ notes }) => notes),
    };
  });
}

function reasonAgainst(part: ConstraintDefinition, table: WantedTable, known: ReadonlyMap<string, WantedTable>): string | null {
  const reference = part.reference === null ? '' : displayName(part.reference);
  const other = known.get(reference);
  if (!other) return `${reference} does not go to this database`;
  const lacking = part.referenceColumns.filter((column) => !other.definition.columns.some(({ name }) => name === column));
  if (lacking.length > 0) return `${lacking.map(quoteIdent).join(', ')} of ${reference} does not go to this database`;
  if (other.wish.rows === 'some') return `only some rows of ${reference} go to this database`;
  if (table.wish.rows === 'more' && other.wish.rows !== 'more') return `${displayName(table.name)} keeps rows whose ${reference} is deleted`;
  return null;
}

function note(table: WantedTable, { name }: ConstraintDefinition, reason: string): string {
  return `${displayName(table.name)} is made without the foreign key ${quoteIdent(name)}: ${reason}`;
}
