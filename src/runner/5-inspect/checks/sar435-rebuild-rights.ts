import { displayName, quoteIdent } from '../../../sql/quote.ts';
import { type LiveCheck, liveFault } from '../inspection.ts';
import { arrivals } from '../plan-tables.ts';

/** Only a table's owner drops its indexes, and only who may create in its schema builds them again. */
export const rebuildRights: LiveCheck = {
  code: 'SAR435',
  summary: 'the role of the runner owns the tables whose indexes copies set aside, and may create in their schemas',
  run: ({ plan, database, inspection }) =>
    arrivals(plan, database).flatMap(({ table: { routes, target } }) => {
      const sets = routes.some(({ targets, apply }) => apply.setIndexesAside !== undefined && targets.includes(database));
      const facts = inspection.tables.get(displayName(target));
      if (!sets || facts === undefined || (facts.runner.owns && facts.runner.mayCreate)) return [];
      const grantee = quoteIdent(inspection.runner.role);
      const grants = [
        ...(facts.runner.owns ? [] : [`GRANT ${facts.owner} TO ${grantee};`]),
        ...(facts.runner.mayCreate ? [] : [`GRANT CREATE ON SCHEMA ${quoteIdent(target.schema)} TO ${grantee};`]),
      ];
      return [
        liveFault({
          code: 'SAR435',
          database,
          table: displayName(target),
          message: `role ${inspection.runner.role} may not set indexes of this table aside and build them again (copy: rebuildIndexes)`,
          hint: `Run: ${grants.join('\n')}`,
        }),
      ];
    }),
};
