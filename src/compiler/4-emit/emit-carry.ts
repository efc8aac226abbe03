import { byCodeUnit } from '../../plan/canonical.ts';
import type { PlanCarried, PlanCarry, PlanWatched } from '../../plan/plan-sequence.ts';
import type { SequenceSchema, TableSchema } from '../../plan/schema-lock.ts';
import { displayName } from '../../sql/quote.ts';
import { type CountedColumn, countedColumns } from '../2-model/counted-columns.ts';
import type { Model, ModelOneWay } from '../2-model/model.ts';
import { type BoundingColumn, carrySequence, extremesOf, lookAtSequence } from './statements/carry.sql.ts';

/** What becomes of a one-way sync's sequences, ordered by the names of target and sequences. */
export function emitCarry(sync: ModelOneWay): PlanCarry | null {
  if (sync.sequences === null || sync.sequences === 'ignore') return sync.sequences;
  const pairs = new Map<string, readonly CountedColumn[]>();
  const sequences = new Map<string, { readonly from: SequenceSchema; readonly to: SequenceSchema }>();
  for (const counted of countedColumns(sync)) {
    for (const from of counted.from) {
      for (const to of counted.to) {
        const key = JSON.stringify([counted.target, displayName(to), displayName(from)]);
        sequences.set(key, { from, to });
        pairs.set(key, [...(pairs.get(key) ?? []), counted]);
      }
    }
  }
  const carried = [...sequences].sort(([a], [b]) => byCodeUnit(a, b)).map(([key, each]) => planCarried(each, pairs.get(key) ?? []));
  return { margin: sync.sequences.margin, carried };
}

function planCarried({ from, to }: { readonly from: SequenceSchema; readonly to: SequenceSchema }, columns: readonly CountedColumn[]): PlanCarried {
  const sources = columns.map(({ table, column }) => ({ table: table.source, column: column.name, type: column.type }));
  const targets = columns.map(({ targetTable, targetColumn }) => ({ table: targetTable, column: targetColumn.name, type: targetColumn.type }));
  return {
    target: columns[0]?.target ?? '',
    from: { schema: from.schema, name: from.name },
    to: { schema: to.schema, name: to.name },
    lookFrom: lookAtSequence(from, sources).text,
    lookTo: lookAtSequence(to, targets).text,
    carry: carrySequence(to).text,
    extremes: extremesOf(targets)?.text ?? null,
  };
}

/** The sequences of a database whose end the runner warns of: those that are carried from here, and those that count in steps. */
export function emitWatched(model: Model, database: string): readonly PlanWatched[] {
  const found = new Map<string, { readonly sequence: SequenceSchema; readonly columns: readonly BoundingColumn[] }>();
  for (const table of model.syncs.flatMap((sync) => watchedTables(sync, database))) {
    for (const { name, type, sequences = [] } of table.columns) {
      for (const sequence of sequences) {
        const known = found.get(displayName(sequence))?.columns ?? [];
        found.set(displayName(sequence), { sequence, columns: [...known, { table, column: name, type }] });
      }
    }
  }
  return [...found]
    .sort(([a], [b]) => byCodeUnit(a, b))
    .map(([, { sequence, columns }]) => ({
      sequence: { schema: sequence.schema, name: sequence.name },
      look: lookAtSequence(sequence, columns).text,
    }));
}

function watchedTables(sync: Model['syncs'][number], database: string): readonly TableSchema[] {
  if (sync.mode === 'full-copy' || sync.sequences === null || sync.sequences === 'ignore') return [];
  if (sync.mode === 'multi-master') return sync.members.includes(database) ? sync.tables.flatMap(({ schemas }) => schemas[database] ?? []) : [];
  return sync.source === database ? sync.tables.map(({ source }) => source) : [];
}
