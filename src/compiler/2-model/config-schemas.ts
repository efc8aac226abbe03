import type { MasterTableConfig, ReplicationConfig, SyncConfig, TableConfig } from '../../index.ts';
import { byCodeUnit } from '../../plan/canonical.ts';
import { parseTableName } from './table-name.ts';

/** The schemas that the config speaks of, for each database: only they are read into the lock. Ordered; names with faults are left out. */
export function schemasOf(config: ReplicationConfig): ReadonlyMap<string, readonly string[]> {
  const found = new Map(Object.keys(config.databases).map((name) => [name, new Set<string>()]));
  for (const sync of Object.values(config.syncs)) {
    const [sources, targets] = sync.mode === 'multi-master' ? [sync.members, sync.members] : [[sync.source], sync.targets];
    for (const source of sources) {
      for (const schema of sourceSchemas(sync)) found.get(source)?.add(schema);
    }
    for (const target of targets) {
      for (const schema of targetSchemas(sync)) found.get(target)?.add(schema);
    }
  }
  return new Map([...found].map(([name, schemas]) => [name, [...schemas].sort(byCodeUnit)]));
}

/** An entry of `tables` of either mode. What its own mode does not have, a check has refused. */
export type TableEntry = TableConfig & MasterTableConfig;

/** An entry of `tables`, always as an object. */
export function tableConfig(entry: string | TableConfig | MasterTableConfig): TableEntry {
  return typeof entry === 'string' ? { table: entry } : entry;
}

function sourceSchemas(sync: SyncConfig): readonly string[] {
  return sync.tables.flatMap((entry: string | TableEntry) => schemaOf(tableConfig(entry).table));
}

function targetSchemas(sync: SyncConfig): readonly string[] {
  return sync.tables.map((entry) => tableConfig(entry)).flatMap((entry) => schemaOf(entry.rename ?? entry.table));
}

function schemaOf(text: string): string[] {
  const name = parseTableName(text);
  if (name.kind === 'fault') return [];
  return [name.kind === 'exact' ? name.name.schema : name.schema];
}
