import { displayName } from '../../../sql/quote.ts';
import { indexLock } from '../../2-model/lock-index.ts';
import { masterTables, type Rule } from '../rule.ts';

/** SAR271. */
export const firingTriggers: Rule = {
  code: 'SAR271',
  severity: 'warning',
  summary: 'a trigger fires when rounds write to a table of a multi-master sync',
  explanation:
    'Rounds write with session_replication_role = replica. A trigger that fires then too may change the row, so that the members never become equal, or do a second time what it did where the row was made.',
  example: 'ALTER TABLE … ENABLE ALWAYS TRIGGER set_updated',
  cure: 'ALTER TABLE … ENABLE TRIGGER, so that it fires for applications only.',
  run: (input) => {
    const indexes = new Map(Object.entries(input.lock.databases).map(([name, database]) => [name, indexLock(database)]));
    return masterTables(input).flatMap(({ table, path }) =>
      Object.entries(table.schemas).flatMap(([member, schema]) =>
        [schema, ...(indexes.get(member)?.partitionsOf(schema) ?? [])].flatMap((each) =>
          (each.replicaTriggers ?? []).map((name) => ({
            path,
            message: `trigger ${name} on ${displayName(each)} at member '${member}' fires for rows that arrive from the others too`,
            hint: `If that is not meant: ALTER TABLE ${displayName(each)} ENABLE TRIGGER …; and run \`sarrio pull\`.`,
          })),
        ),
      ),
    );
  },
};
