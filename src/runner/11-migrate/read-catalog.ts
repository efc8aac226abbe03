import type { QualifiedName } from '../../sql/quote.ts';
import type { Session } from '../postgres/session.ts';
import { textArray } from '../postgres/text-array.ts';
import { readCatalog } from './migrate.sql.ts';

/** `missing`: the value that rows from before the column have, as text; null where there is none. */
export type CatalogColumn = { readonly name: string; readonly type: string; readonly notNull: boolean; readonly missing: string | null };

/** A table as the catalog has it, columns by their numbers, which no renaming changes. */
export type CatalogTable = QualifiedName & {
  readonly columns: ReadonlyMap<number, CatalogColumn>;
  readonly keys: string;
  readonly partitions: string;
  /** Changes when the rows are written anew. */
  readonly files: string;
};

/** Every table of the schemas by oid, as the open transaction sees them. One query. */
export async function readCatalogTables(session: Session, schemas: readonly string[]): Promise<ReadonlyMap<string, CatalogTable>> {
  const { rows } = await session.query(readCatalog, [textArray(schemas)]);
  return new Map(
    rows.map((row) => {
      const [partitions, files] = JSON.parse(row['below'] ?? '[]') as readonly unknown[];
      const table: CatalogTable = {
        schema: row['schema'] ?? '',
        name: row['name'] ?? '',
        columns: new Map((JSON.parse(row['columns'] ?? '[]') as readonly (readonly unknown[])[]).map(columnOf)),
        keys: row['keys'] ?? '',
        partitions: JSON.stringify(partitions),
        files: JSON.stringify(files),
      };
      return [row['oid'] ?? '', table];
    }),
  );
}

function columnOf([number, name, type, notNull, missing]: readonly unknown[]): readonly [number, CatalogColumn] {
  return [Number(number), { name: String(name), type: String(type), notNull: notNull === true, missing: missing === null ? null : String(missing) }];
}
