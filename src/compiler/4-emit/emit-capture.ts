import type { ObjectKind } from '../../plan/plan.ts';
import type { ColumnSchema } from '../../plan/schema-lock.ts';
import { displayName, ident, type QualifiedName } from '../../sql/quote.ts';
import { join, type Sql } from '../../sql/sql.ts';
import type { ModelTable } from '../2-model/model.ts';
import { identityHash, objectNames, wakeName } from '../2-model/object-names.ts';
import { type CaptureTarget, keyCapture, partitionedUpdateCapture, rowCapture, statementCapture } from './objects/capture.sql.ts';
import { isOwnType } from './statements/user-types.ts';
import { beforeCapture } from './objects/before-capture.sql.ts';
import { beforeColumn, currentSequence, deltaIndex, deltaSegment, deltaTable, filledSequence, recordedColumns } from './objects/delta.sql.ts';
import { recordedUpdateCapture } from './objects/recorded-update.sql.ts';
import {
  beforeTriggers,
  firesAlways,
  keyTrigger,
  partitionedTriggers,
  rowTriggers,
  statementTriggers,
  type TriggerObject,
  truncateKeysTrigger,
} from './objects/triggers.sql.ts';
import { truncateCapture, truncateRefusal } from './objects/truncate.sql.ts';
import type { EmittedObject, SqlFile } from './sql-file.ts';

/** A table that one or more syncs capture in one database. */
export type Captured = { readonly database: string; readonly table: ModelTable; readonly syncs: readonly string[] };

/** Everything that stands in the source for one captured table. */
export function emitCapture(captured: Captured): SqlFile {
  const { database, table, syncs } = captured;
  const names = objectNames(table.source);
  const target: CaptureTarget = {
    names,
    key: table.key.columns.map((column) => ({ ...column, type: columnSchema(table, column.name).type })),
    ownTypes: keySchemas(table).flatMap(({ name, type }) => (isOwnType(type) ? [name] : [])),
    captureTriggers: table.captureTriggers,
    wakes: syncs.map((sync) => ({ sync, sequence: wakeName(sync) })),
  };
  return {
    path: `sql/${database}/${fileName(table.source)}.sql`,
    group: displayName(table.source),
    summary: summary(captured),
    objects: [
      ...deltaObjects(table),
      ...functions(table, target),
      ...truncateFunctions(table, target),
      ...[...triggers(table), ...truncateTriggers(table)].map((each) => triggerObject(each, table.captureTriggers)),
    ],
  };
}

function deltaObjects(table: ModelTable): readonly EmittedObject[] {
  const names = objectNames(table.source);
  // At each of them, since adding columns to the one changes what the catalog holds of the others.
  const more = [...(table.recorded === null ? [] : [recordedColumns(names.delta)]), ...(table.before ? [beforeColumn(names.delta)] : [])];
  const recorded = (text: Sql): Sql => join([text, ...more], '\n');
  const segments = names.segments.flatMap((segment, index) => {
    const indexName = names.segmentIndexes[index] ?? '';
    return [
      own('table', segment, recorded(deltaSegment({ segment, delta: names.delta }, index + 1))),
      own('index', indexName, deltaIndex({ index: indexName, segment })),
    ];
  });
  const sequences = [own('sequence', names.current, currentSequence(names.current)), own('sequence', names.filled, filledSequence(names.filled))];
  return [own('table', names.delta, recorded(deltaTable(names.delta, keySchemas(table)))), ...segments, ...sequences];
}

function keySchemas(table: ModelTable): readonly ColumnSchema[] {
  return table.key.columns.map(({ name }) => columnSchema(table, name));
}

function columnSchema(table: ModelTable, name: string): ColumnSchema {
  const column = table.source.columns.find((each) => each.name === name);
  if (column === undefined) throw new Error(`key column ${name} is not in the schema lock`);
  return column;
}

function functions(table: ModelTable, target: CaptureTarget): readonly EmittedObject[] {
  const { capture, captureKey } = target.names;
  const ours = (name: string, text: Sql) => captureFunction(table, name, text);
  if (table.capture === 'row') return [ours(capture, rowCapture(target))];
  const columns = table.columns.flatMap(({ from }) => (from.kind === 'column' ? [from.column] : []));
  if (table.before) return [ours(capture, statementCapture(target)), ours(captureKey, beforeCapture({ ...target, columns }))];
  if (table.recorded !== null) {
    return [ours(capture, statementCapture(target)), ours(captureKey, recordedUpdateCapture({ ...target, ...table.recorded, columns }))];
  }
  const forKey = table.source.kind === 'partitioned' ? partitionedUpdateCapture(target) : keyCapture(target);
  return [ours(capture, statementCapture(target)), ours(captureKey, forKey)];
}

function truncateFunctions(table: ModelTable, target: CaptureTarget): readonly EmittedObject[] {
  const { truncate, source } = table;
  if (truncate === 'replicate') return [captureFunction(table, target.names.truncate, truncateCapture(target, source.kind === 'partitioned'))];
  return truncate === 'refuse' ? [captureFunction(table, target.names.truncate, truncateRefusal(target))] : [];
}

function truncateTriggers({ source, partitions, truncate }: ModelTable): readonly TriggerObject[] {
  if (truncate === null || truncate === 'ignore') return [];
  return [source, ...partitions].map((each) => truncateKeysTrigger(each, objectNames(source)));
}

function triggers(table: ModelTable): readonly TriggerObject[] {
  const names = objectNames(table.source);
  if (table.capture === 'row') return rowTriggers(table.source, names);
  if (table.before) return [table.source, ...table.partitions].flatMap((each) => beforeTriggers(each, names));
  if (table.source.kind === 'partitioned' || table.recorded !== null)
    return [table.source, ...table.partitions].flatMap((each) => partitionedTriggers(each, names));
  const key = keyTrigger(table.source, names, { key: table.key.columns, onEveryUpdate: table.source.beforeUpdateTrigger });
  return [...statementTriggers(table.source, names), key];
}

function triggerObject(trigger: TriggerObject, fires: ModelTable['captureTriggers']): EmittedObject {
  const { name, table } = trigger;
  const text = fires === 'always' ? join([trigger.text, firesAlways(trigger)], '\n') : trigger.text;
  return { kind: 'trigger', name: `${name} on ${displayName(table)}`, lock: writersLock(table), text };
}

/** An object of ours in schema `sarrio`. */
export function own(kind: ObjectKind, name: string, text: Sql): EmittedObject {
  return { kind, name: ident('sarrio', name).text, lock: null, text };
}

/** Replaced while nobody is in it: what rounds may take for granted of a change must hold for whoever began the statement before. */
function captureFunction(table: ModelTable, name: string, text: Sql): EmittedObject {
  return { kind: 'function', name: `${ident('sarrio', name).text}()`, lock: writersLock(table.source), text };
}

/** Waits for everybody who is writing to the table. */
function writersLock({ schema, name }: QualifiedName): EmittedObject['lock'] {
  return { mode: 'SHARE ROW EXCLUSIVE', table: { schema, name } };
}

/** Plain names as they are; others keep their plain letters and get a hash, so that every file system can hold them apart. */
function fileName({ schema, name }: QualifiedName): string {
  const plain = `${schema}.${name}`;
  if (/^[a-z0-9_]+\.[a-z0-9_]+$/.test(plain)) return plain;
  return `${plain.replace(/[^A-Za-z0-9_.-]/g, '-').slice(0, 80)}.${identityHash([schema, name])}`;
}

function summary({ database, table, syncs }: Captured): readonly string[] {
  const key = table.key.columns.map(({ name }) => name).join(', ');
  const how = {
    statement: 'Statement triggers record the key of every row that an INSERT, UPDATE, DELETE or COPY changes',
    row: 'Row triggers (the table is in an inheritance hierarchy) record the key of every changed row',
  }[table.capture];
  const partitions = table.partitions.length > 0 ? [`Its ${table.partitions.length} partitions have the same triggers, for statements that name them.`] : [];
  const truncate = {
    replicate: ['Before a TRUNCATE the keys of all rows are recorded as deleted, for multi-master syncs.'],
    refuse: ['A TRUNCATE is refused.'],
    ignore: ['Multi-master syncs know nothing of a TRUNCATE.'],
    none: [],
  }[table.truncate ?? 'none'];
  const always = table.captureTriggers === 'always' ? ['They fire in every session, also with session_replication_role = replica.'] : [];
  const more = table.recorded?.counters.length === 0 ? '' : `, and by how much ${table.recorded?.counters.join(', ')}`;
  const recorded = table.recorded === null ? [] : [`Of an UPDATE it is recorded which columns it changed${more}, for conflicts to be merged.`];
  const before = table.before ? ['Of an UPDATE and a DELETE the row is kept that stood there, for a handler that asks for the last common row.'] : [];
  return [
    `Capture of ${displayName(table.source)} in database ${database}, key (${key}), for ${syncs.length === 1 ? 'sync' : 'syncs'} ${syncs.join(', ')}.`,
    `${how},`,
    `and a TRUNCATE as one entry, in the delta table. ${table.before ? 'The runner reads the current state of the rows.' : 'Rows are not stored; the runner reads their current state.'}`,
    ...recorded,
    ...before,
    ...truncate,
    ...partitions,
    ...always,
  ];
}
