import { displayName } from '../../sql/quote.ts';
import type { Model, ModelMasterTable, ModelSync, ModelTable } from './model.ts';
import type { ModelResult } from './build-model.ts';

/** The same result, with the tables of an earlier model in the place of those that are equal to them, so that what was made of them is known again. */
export function withSameParts({ model, places, faults }: ModelResult, before: Model | null): ModelResult {
  if (before === null) return { model, places, faults };
  const replaced = new Map<ModelTable, ModelTable>();
  const olds = new Map(before.syncs.map((sync) => [`${sync.mode} ${sync.name}`, sync]));
  const syncs = model.syncs.map((sync) => sameSync(sync, olds.get(`${sync.mode} ${sync.name}`), replaced));
  return { model: { ...model, syncs }, places: new Map([...places].map(([table, path]) => [replaced.get(table) ?? table, path])), faults };
}

function sameSync(sync: ModelSync, old: ModelSync | undefined, replaced: Map<ModelTable, ModelTable>): ModelSync {
  if (sync.mode === 'multi-master') {
    const known = old?.mode === 'multi-master' ? new Map(old.tables.map((table) => [displayName(table.reference.source), table])) : new Map();
    return { ...sync, tables: sync.tables.map((table) => sameMaster(table, known.get(displayName(table.reference.source)), replaced)) };
  }
  const known = old === undefined || old.mode === 'multi-master' ? new Map() : new Map(old.tables.map((table) => [displayName(table.source), table]));
  return { ...sync, tables: sync.tables.map((table) => sameTable(table, known.get(displayName(table.source)), replaced)) };
}

function sameMaster(table: ModelMasterTable, old: ModelMasterTable | undefined, replaced: Map<ModelTable, ModelTable>): ModelMasterTable {
  if (old === undefined) return table;
  const sources = Object.entries(table.sources).map(([member, source]) => [member, sameTable(source, old.sources[member], replaced)] as const);
  return { ...table, reference: sameTable(table.reference, old.reference, replaced), sources: Object.fromEntries(sources) };
}

function sameTable(table: ModelTable, old: ModelTable | undefined, replaced: Map<ModelTable, ModelTable>): ModelTable {
  if (old === undefined || !isEqual(table, old)) return table;
  replaced.set(table, old);
  return old;
}

/** Data of which everything is the same, the order of keys as well. */
function isEqual(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const [left, right] = [Object.entries(one), Object.entries(other)];
  return left.length === right.length && left.every(([key, value], place) => key === right[place]?.[0] && isEqual(value, right[place][1]));
}
