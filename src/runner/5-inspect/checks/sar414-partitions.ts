import { displayName } from '../../../sql/quote.ts';
import { type LiveCheck, liveFault } from '../inspection.ts';
import { plannedTables } from '../../../plan/planned-tables.ts';
import { RECOMPILE } from './sar410-table-missing.ts';

/** A new partition has no capture of its own: statements that name it directly would not be seen. */
export const partitions: LiveCheck = {
  code: 'SAR414',
  summary: 'the partitions of a captured table are those of the plan',
  run: ({ plan, database, inspection }) => {
    const captured = new Set((plan.databases[database]?.captures ?? []).map(({ table }) => displayName(table)));
    return plannedTables(plan, database).flatMap(({ display, shape }) => {
      const facts = inspection.tables.get(display);
      if (!facts || shape.kind !== 'partitioned' || !captured.has(display)) return [];
      const planned = new Set(shape.partitions.map(displayName));
      const found = new Set(facts.partitions.map(displayName));
      const messages = [
        ...[...found].filter((name) => !planned.has(name)).map((name) => `partition ${name} is new: what is written to it directly is not captured`),
        ...[...planned].filter((name) => !found.has(name)).map((name) => `partition ${name} is gone or detached`),
      ];
      return messages.map((message) => liveFault({ code: 'SAR414', database, table: display, message, hint: RECOMPILE }));
    });
  },
};
