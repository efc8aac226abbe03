import { ident, type QualifiedName, tableIdent } from '../../../sql/quote.ts';
import { dangerousRaw, join, type Sql, sql } from '../../../sql/sql.ts';
import type { KeyColumn } from '../../../plan/schema-lock.ts';
import { keyChanged } from './capture.sql.ts';

/** A trigger of ours on a user's table or partition. */
export type TriggerObject = { readonly name: string; readonly table: QualifiedName; readonly text: Sql };

type Capture = { readonly capture: string; readonly captureKey: string; readonly truncate: string };

/**
 * Purpose: the capture triggers of a table, one for each event and statement, with transition tables.
 * Reads, writes: nothing by themselves. Called by: `emitCapture`.
 *
 * They stay in the ORIGIN state, so that a session with session_replication_role = replica (our own apply) is not captured again,
 * unless the config wants them to fire always.
 */
export function statementTriggers(table: QualifiedName, functions: Capture): readonly TriggerObject[] {
  return [
    trigger(table, 'sarrio_insert', 'after insert', sql`referencing new table as changed_rows for each statement`, functions.capture),
    trigger(table, 'sarrio_update', 'after update', sql`referencing new table as changed_rows for each statement`, functions.capture),
    trigger(table, 'sarrio_delete', 'after delete', sql`referencing old table as changed_rows for each statement`, functions.capture),
    truncateTrigger(table, functions),
  ];
}

/** In the ALWAYS state; `create or replace trigger` puts it back to ORIGIN. Needs the table's owner, which creating triggers does not. */
export function firesAlways({ name, table }: TriggerObject): Sql {
  return sql`alter table only ${tableIdent(table)} enable always trigger ${ident(name)};`;
}

/** For a partitioned table and each of its partitions: UPDATE compares old and new keys itself. */
export function partitionedTriggers(table: QualifiedName, functions: Capture): readonly TriggerObject[] {
  const both = sql`referencing old table as old_rows new table as changed_rows for each statement`;
  return statementTriggers(table, functions).map((each) =>
    each.name === 'sarrio_update' ? trigger(table, each.name, 'after update', both, functions.captureKey) : each,
  );
}

/** Where the rows are kept that an UPDATE or DELETE replaces. */
export function beforeTriggers(table: QualifiedName, functions: Capture): readonly TriggerObject[] {
  const gone = sql`referencing old table as old_rows for each statement`;
  return partitionedTriggers(table, functions).map((each) =>
    each.name === 'sarrio_delete' ? trigger(table, each.name, 'after delete', gone, functions.captureKey) : each,
  );
}

/**
 * Fires for each row whose key changed. `update of` costs nothing on statements that do not name the key; where a BEFORE trigger of
 * the user's may change it, the trigger must look at every updated row.
 */
export function keyTrigger(table: QualifiedName, functions: Capture, options: { key: readonly KeyColumn[]; onEveryUpdate: boolean }): TriggerObject {
  const columns = join(
    options.key.map(({ name }) => ident(name)),
    ', ',
  );
  const event = options.onEveryUpdate ? 'after update' : `after update of ${columns.text}`;
  return trigger(table, 'sarrio_key', event, sql`for each row when (${keyChanged(options.key)})`, functions.captureKey);
}

/** For tables of an inheritance hierarchy. */
export function rowTriggers(table: QualifiedName, functions: Capture): readonly TriggerObject[] {
  const events = [
    ['sarrio_insert', 'after insert'],
    ['sarrio_update', 'after update'],
    ['sarrio_delete', 'after delete'],
  ] as const;
  const forRows = events.map(([name, event]) => trigger(table, name, event, sql`for each row`, functions.capture));
  return [...forRows, truncateTrigger(table, functions)];
}

/** Where a multi-master sync reads the table: before the rows go. TRUNCATE of a partitioned table fires those of its partitions too. */
export function truncateKeysTrigger(table: QualifiedName, functions: Capture): TriggerObject {
  return trigger(table, 'sarrio_truncate_keys', 'before truncate', sql`for each statement`, functions.truncate);
}

function truncateTrigger(table: QualifiedName, functions: Capture): TriggerObject {
  return trigger(table, 'sarrio_truncate', 'after truncate', sql`for each statement`, functions.capture);
}

function trigger(table: QualifiedName, name: string, event: string, form: Sql, functionName: string): TriggerObject {
  const text = sql`
    create or replace trigger ${ident(name)} ${dangerousRaw(event)} on ${tableIdent(table)}
      ${form}
      execute function ${ident('sarrio', functionName)}();
  `;
  return { name, table, text };
}
