import { displayName } from '../../../sql/quote.ts';
import { didYouMean } from '../../1-load/did-you-mean.ts';
import { unfitReason } from '../../2-model/select-tables.ts';
import { type Finding, masterTables, type Rule } from '../rule.ts';

/** SAR264. */
export const memberTableMissing: Rule = {
  code: 'SAR264',
  severity: 'error',
  summary: 'a member lacks a table of a multi-master sync, or has something else by its name',
  explanation:
    'Sarrio moves rows. It never changes a table of yours, and makes one only where you ask for it. Each member needs the table under the same name.',
  example: 'west has no public.orders',
  cure: 'Let sarrio pull --with-schema write the SQL that makes it, or create it there and run sarrio pull; or leave it out with `exclude`.',
  run: (input) =>
    masterTables(input).flatMap(({ sync, table, label, path }) =>
      sync.members.flatMap((member): readonly Finding[] => {
        const database = input.lock.databases[member];
        const schema = table.schemas[member];
        if (database === undefined) return [];
        if (schema === undefined) {
          const hint =
            didYouMean(label, database.tables.map(displayName)) ??
            `Create it in '${member}' and run \`sarrio pull\` (\`sarrio pull --with-schema\` writes the SQL).`;
          return [{ path, message: `member '${member}' has no table ${label}`, hint }];
        }
        const reason = unfitReason(schema);
        return reason === null ? [] : [{ path, message: `${label} at member '${member}' is ${reason}`, hint: 'Use an ordinary, logged table.' }];
      }),
    ),
};
