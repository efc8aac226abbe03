import { byCodeUnit } from '../../plan/canonical.ts';
import type { PlanSequence } from '../../plan/plan-sequence.ts';
import type { SequenceSchema, TableSchema } from '../../plan/schema-lock.ts';
import { displayName, type QualifiedName } from '../../sql/quote.ts';
import type { Model } from '../2-model/model.ts';
import { alignSequence, type CountedColumn, readSequence } from './statements/sequences.sql.ts';

type Counted = {
  readonly sequence: SequenceSchema;
  readonly sync: string;
  readonly columns: readonly CountedColumn[];
  readonly slots: number;
  readonly slot: number;
};

/** The sequences of a database that its multi-master syncs interleave, ordered by name; one that several columns count by is listed once. */
export function emitSequences(model: Model, database: string): readonly PlanSequence[] {
  const found = new Map<string, Counted>();
  for (const sync of model.syncs) {
    if (sync.mode !== 'multi-master' || sync.sequences === null || sync.sequences === 'ignore' || !sync.members.includes(database)) continue;
    const { slots } = sync.sequences;
    for (const { table, column, sequence } of sync.tables.flatMap(({ schemas }) => countedIn(schemas[database]))) {
      const key = displayName(sequence);
      const known = found.get(key) ?? { sequence, sync: sync.name, columns: [], slots, slot: sync.members.indexOf(database) + 1 };
      const isKnown = known.columns.some((each) => displayName(each.table) === displayName(table) && each.column === column.column);
      found.set(key, isKnown ? known : { ...known, columns: [...known.columns, { table, ...column }] });
    }
  }
  return [...found].sort(([a], [b]) => byCodeUnit(a, b)).map(([, counted]) => planSequence(counted));
}

function countedIn(
  schema: TableSchema | undefined,
): readonly { readonly table: QualifiedName; readonly column: Omit<CountedColumn, 'table'>; readonly sequence: SequenceSchema }[] {
  if (schema === undefined) return [];
  const table = { schema: schema.schema, name: schema.name };
  return schema.columns.flatMap(({ name, type, sequences = [] }) => sequences.map((sequence) => ({ table, column: { column: name, type }, sequence })));
}

function planSequence({ sequence, sync, columns, slots, slot }: Counted): PlanSequence {
  const { schema, name } = sequence;
  return {
    sequence: { schema, name },
    sync,
    columns: columns.map(({ table, column }) => ({ table, column })),
    slots,
    slot,
    read: readSequence({ sequence, columns, slots, slot }).text,
    align: alignSequence({ sequence, slots }).text,
  };
}
