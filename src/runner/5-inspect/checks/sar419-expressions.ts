import { type LiveCheck, liveFault } from '../inspection.ts';

/** The compiler contacts no server, so a row filter or a computed column is tried here before anything is changed. */
export const expressions: LiveCheck = {
  code: 'SAR419',
  summary: 'row filters and computed columns work on the source',
  run: ({ database, inspection }) =>
    inspection.badExpressions.map(({ sync, table, error }) =>
      liveFault({
        code: 'SAR419',
        database,
        table,
        message: `the row filter or a computed column of sync ${sync} fails: ${error}`,
        hint: 'Correct `where` or `columns.compute` in the config and compile again. Functions and types outside pg_catalog need their schema.',
      }),
    ),
};
