import { quoteIdent } from '../../../sql/quote.ts';
import { type LiveCheck, liveFault } from '../inspection.ts';
import { plannedTables } from '../../../plan/planned-tables.ts';
import { RECOMPILE } from './sar410-table-missing.ts';

/** Without its unique index a key no longer names one row. */
export const key: LiveCheck = {
  code: 'SAR413',
  summary: 'every table has a valid unique index on the key columns of the plan, and none of them may be null',
  run: ({ plan, database, inspection }) =>
    plannedTables(plan, database).flatMap(({ display, shape }) => {
      const facts = inspection.tables.get(display);
      if (!facts || shape.key.length === 0) return [];
      const wanted = JSON.stringify([...shape.key].sort());
      const hasIndex = facts.uniqueKeys.some((columns) => JSON.stringify([...columns].sort()) === wanted);
      const nullable = shape.key.filter((name) => facts.columns.get(name)?.notNull === false);
      const list = shape.key.map(quoteIdent).join(', ');
      const messages = [
        ...(hasIndex ? [] : [`no valid unique index stands on the key (${list})`]),
        ...nullable.map((name) => `key column ${quoteIdent(name)} may be null`),
      ];
      const hint = `Restore the key, or: ${RECOMPILE}`;
      return messages.map((message) => liveFault({ code: 'SAR413', database, table: display, message, hint }));
    }),
};
