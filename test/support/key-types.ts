import type { TestDatabase } from './database.ts';
import { TYPE_VALUES } from './type-values.ts';

/** The types of `TYPE_VALUES` of which PostgreSQL itself lets a key be made that holds more than one row; the database has USER_TYPES. */
export async function keyTypes(probe: TestDatabase): Promise<readonly string[]> {
  const found: string[] = [];
  for (const [type, values] of Object.entries(TYPE_VALUES)) {
    const value = `(${values[0]})::${type}`;
    // An array of what cannot be compared gets its index, and fails at the second row.
    const refused = await probe.query(`drop table if exists probe; create table probe (k ${type} primary key)`).then(
      () =>
        probe.query(`select ${value} = ${value}`).then(
          () => null,
          (error: Error) => error.message,
        ),
      (error: Error) => error.message,
    );
    if (refused === null) found.push(type);
    else if (!/has no default operator class|could not identify an equality operator/.test(refused)) throw new Error(`${type}: ${refused}`);
  }
  return found;
}
