import { type LiveCheck, liveFault } from '../inspection.ts';
import { plannedTables } from '../../../plan/planned-tables.ts';
import { RECOMPILE } from './sar410-table-missing.ts';

const KINDS: Readonly<Record<string, string>> = {
  r: 'table',
  p: 'partitioned',
  v: 'view',
  m: 'materialized view',
  f: 'foreign table',
  S: 'sequence',
};

/** A table became partitioned, or a view took its name. */
export const tableKind: LiveCheck = {
  code: 'SAR411',
  summary: 'every table is of the kind that the plan was compiled for',
  run: ({ plan, database, inspection }) =>
    plannedTables(plan, database).flatMap(({ display, shape }) => {
      const facts = inspection.tables.get(display);
      const kind = facts ? (KINDS[facts.kind] ?? facts.kind) : shape.kind;
      if (kind === shape.kind) return [];
      return [
        liveFault({
          code: 'SAR411',
          database,
          table: display,
          message: `it is of kind '${kind}', but the plan was compiled for '${shape.kind}'`,
          hint: RECOMPILE,
        }),
      ];
    }),
};
