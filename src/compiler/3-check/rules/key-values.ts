import type { ColumnSchema, TableSchema } from '../../../plan/schema-lock.ts';
import { masterTables, type Rule } from '../rule.ts';

/** SAR270. */
export const collidingSequences: Rule = {
  code: 'SAR270',
  severity: 'warning',
  summary: 'a serial or identity column of a multi-master sync would give the same values at two members',
  explanation: 'Each member has a sequence of its own, and both give 1, 2, 3: two new rows become one key, and one of them overwrites the other.',
  example: "an identity column at both members, sequences: 'ignore' not said",
  cure: "sequences: 'interleave'; or 'ignore' when you see to it yourself.",
  run: (input) =>
    masterTables(input).flatMap(({ sync, table, label, path }) => {
      if (sync.sequences !== null) return [];
      const columns = [...new Set(Object.values(table.schemas).flatMap(counted))];
      return columns.map((name) => ({
        path,
        message: `column ${name} of ${label} counts by a sequence of each member: two of them would give the same value to different rows`,
        hint: "Say sequences: 'interleave', and each member counts in steps from a start of its own. If you have seen to it yourself: sequences: 'ignore'.",
      }));
    }),
};

const CLOCK = /\b(now\(\)|current_(timestamp|date|time)\b|localtime(stamp)?\b|(clock|statement|transaction)_timestamp\(\)|timeofday\(\))/i;

/** SAR272. */
export const clockKeys: Rule = {
  code: 'SAR272',
  severity: 'warning',
  summary: 'a key column of a multi-master sync has the time as its default',
  explanation: 'Two members can make rows at the same moment, which then have one key.',
  example: 'at timestamptz default now() in the key',
  cure: 'Add a column that tells the members apart, or use a uuid.',
  run: (input) =>
    masterTables(input).flatMap(({ table, label, path }) => {
      const key = new Set(table.reference.key.columns.map(({ name }) => name));
      const timed = Object.values(table.schemas).flatMap(({ columns }) =>
        columns.filter(({ name, keyDefault = '' }) => key.has(name) && CLOCK.test(keyDefault)),
      );
      return [...new Set(timed.map(({ name }) => name))].map((name) => ({
        path,
        message: `key column ${name} of ${label} has the time as its default: rows made at two members in one moment would have one key`,
        hint: 'Add a column that tells the members apart to the key, or use UUIDs.',
      }));
    }),
};

/** Columns of unique indexes whose values come from a sequence. */
function counted({ columns, keys, otherUnique = [] }: TableSchema): readonly string[] {
  const unique = new Set(keys.flatMap((key) => key.columns.map(({ name }) => name)));
  const isUnique = ({ name }: ColumnSchema): boolean => unique.has(name) || otherUnique.some(({ definition }) => definition.includes(name));
  return columns.filter((column) => isUnique(column) && (column.identity !== 'none' || column.keyDefault?.includes('nextval('))).map(({ name }) => name);
}
