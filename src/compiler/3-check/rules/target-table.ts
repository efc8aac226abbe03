import type { DatabaseSchema } from '../../../plan/schema-lock.ts';
import { displayName } from '../../../sql/quote.ts';
import { didYouMean } from '../../1-load/did-you-mean.ts';
import { unfitReason } from '../../2-model/select-tables.ts';
import { type CheckInput, type Finding, oneWayTables, type PlacedTable, type Rule } from '../rule.ts';

/** SAR213. */
export const targetTableMissing: Rule = {
  code: 'SAR213',
  severity: 'error',
  summary: 'a target has no such table',
  explanation: 'Sarrio moves rows. It never changes a table of yours, and makes one only where you ask for it.',
  example: 'public.orders was not made on west',
  cure: 'Let sarrio pull --with-schema write the SQL that makes it, or create it there and run sarrio pull; or name it with `rename`, or leave it out with `exclude`.',
  run: (input) =>
    oneWayTables(input).flatMap((placed) =>
      knownTargets(input, placed).flatMap(([database, schema]): Finding[] => {
        if (placed.table.targets[database]) return [];
        const name = displayName(placed.table.targetName);
        const hint =
          didYouMean(name, schema.tables.map(displayName)) ??
          `Create it in '${database}' and run \`sarrio pull\` (\`sarrio pull --with-schema\` writes the SQL), or name the other table with \`rename\`.`;
        return [{ path: placed.path, message: `target '${database}' has no table ${name}`, hint }];
      }),
    ),
};

/** SAR222. */
export const targetTableUnfit: Rule = {
  code: 'SAR222',
  severity: 'error',
  summary: 'a target is no ordinary table',
  explanation: 'Rows go into tables that keep them through a crash: an unlogged table is emptied by one, while the watermark would say that all is there.',
  example: 'west.orders is UNLOGGED',
  cure: 'ALTER TABLE … SET LOGGED, then sarrio pull.',
  run: (input) =>
    oneWayTables(input).flatMap(({ table, path }) =>
      Object.entries(table.targets).flatMap(([database, target]) => {
        const reason = unfitReason(target);
        if (reason === null) return [];
        const message = `${displayName(target)} in target '${database}' is ${reason}`;
        return [{ path, message, hint: 'Use an ordinary, logged table.' }];
      }),
    ),
};

function knownTargets({ lock }: CheckInput, { flow }: PlacedTable): [string, DatabaseSchema][] {
  return flow.targets.flatMap((name) => {
    const schema = lock.databases[name];
    return schema ? [[name, schema]] : [];
  });
}
