import { displayName } from '../../../sql/quote.ts';
import { type LiveCheck, liveFault } from '../inspection.ts';

/** An initial copy into a table that holds rows would mix two tables, or overwrite what only stands there. */
export const targetOccupied: LiveCheck = {
  code: 'SAR415',
  summary: "a target table is empty before its initial copy, unless the sync says existingRows: 'replace', 'adopt' or 'keep'",
  run: ({ database, inspection }) =>
    inspection.occupied.map(({ sync, source, table }) => {
      const target = displayName(table.target);
      return liveFault({
        code: 'SAR415',
        database,
        table: target,
        message: `the table holds rows, and sync ${sync} would copy ${displayName(table.source)} of ${source} into it`,
        hint: `If these rows may go: TRUNCATE ${target}; or set existingRows: 'replace' ('adopt': compare them and write only what differs; 'keep': only when they are the same rows already) in sync ${sync} and compile again.`,
      });
    }),
};
