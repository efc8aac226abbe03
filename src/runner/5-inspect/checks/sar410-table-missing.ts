import { type LiveCheck, liveFault } from '../inspection.ts';
import { plannedTables } from '../../../plan/planned-tables.ts';

/** What to do when a user's table is not what the plan was compiled for. */
export const RECOMPILE = 'Run `sarrio pull` and `sarrio compile`, review what changed under generated/, and apply again.';

/** A table that the plan was compiled for is gone, or never was in this database. */
export const tableMissing: LiveCheck = {
  code: 'SAR410',
  summary: 'every table of the plan stands',
  run: ({ plan, database, inspection }) =>
    plannedTables(plan, database)
      .filter(({ display }) => !inspection.tables.has(display))
      .map(({ display }) =>
        liveFault({ code: 'SAR410', database, table: display, message: 'the table does not exist', hint: `Create the table, or: ${RECOMPILE}` }),
      ),
};
