import { quoteIdent } from '../../../sql/quote.ts';
import { type LiveCheck, liveFault } from '../inspection.ts';
import { plannedTables } from '../../../plan/planned-tables.ts';
import { RECOMPILE } from './sar410-table-missing.ts';

/** A column that flows is gone or has another type. Columns that the plan does not use may come and go. */
export const columns: LiveCheck = {
  code: 'SAR412',
  summary: 'every column that the plan uses stands with its type',
  run: ({ plan, database, inspection }) =>
    plannedTables(plan, database).flatMap(({ display, shape }) => {
      const facts = inspection.tables.get(display);
      if (!facts) return [];
      const faults = Object.entries(shape.columns).flatMap(([name, type]) => {
        const found = facts.columns.get(name);
        if (!found) return [`column ${quoteIdent(name)} does not exist`];
        return found.type === type ? [] : [`column ${quoteIdent(name)} is ${found.type}, but the plan was compiled for ${type}`];
      });
      return faults.map((message) => liveFault({ code: 'SAR412', database, table: display, message, hint: RECOMPILE }));
    }),
};
