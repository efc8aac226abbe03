import { displayName } from '../../../sql/quote.ts';
import { placedTables, type Rule } from '../rule.ts';

/** Also those that only JavaScript takes for line ends. */
const LINE_END = /[\n\r\u2028\u2029]/;

/** SAR250. */
export const brokenNames: Rule = {
  code: 'SAR250',
  severity: 'error',
  summary: 'a name has a line break',
  explanation: 'Generated files are read line by line: in a comment or in the line above an object such a name would end where it breaks.',
  example: 'create table "two\\nlines"',
  cure: 'Rename it in the database, or leave it out.',
  run: (input) =>
    placedTables(input).flatMap(({ table, path }) => {
      const tables = [table.source, table.targetName, ...table.partitions].flatMap(({ schema, name }) => [schema, name]);
      const columns = [
        ...table.key.columns.map(({ name }) => name),
        ...table.columns.flatMap(({ target, from }) => [target, ...(from.kind === 'column' ? [from.column.name] : [])]),
      ];
      const broken = [...new Set([...tables, ...columns])].filter((name) => LINE_END.test(name));
      return broken.map((name) => ({
        path,
        message: `the name ${JSON.stringify(name)} of or in ${displayName(table.source).replaceAll(/[\n\r\u2028\u2029]/g, ' ')} has a line break`,
        hint: 'Rename it in the database, or leave it out.',
      }));
    }),
};
