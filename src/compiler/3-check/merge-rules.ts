import type { ConflictRuleConfig, MergeRule } from '../../index.ts';
import type { ConfigPath } from '../1-load/fault.ts';
import { isMergeRule } from '../2-model/resolve-rule.ts';
import { type CheckInput, masterSyncs, masterTables, type PlacedMaster } from './rule.ts';

/** A rule that merges, with its place in the config. */
export type PlacedRule = { readonly rule: MergeRule; readonly path: ConfigPath };

/** Every rule that merges, of syncs and of their tables. */
export function mergeRules(input: CheckInput): readonly PlacedRule[] {
  return masterSyncs(input).flatMap(([name, sync]) => {
    const path = ['syncs', name];
    const own = sync.tables.flatMap((entry, position) => {
      return typeof entry === 'string' ? [] : asMerge(entry.onConflict, [...path, 'tables', position, 'onConflict']);
    });
    return [...asMerge(sync.onConflict, [...path, 'onConflict']), ...own];
  });
}

/** Every table whose rule has counters, with the place of the list. */
export function countedTables(input: CheckInput): readonly (PlacedMaster & { readonly counters: readonly string[]; readonly list: ConfigPath })[] {
  return masterTables(input).flatMap((placed) => {
    const { rule } = placed.table;
    if (rule?.strategy !== 'counters') return [];
    return [{ ...placed, counters: rule.counters, list: [...rulePath(input, placed), 'counters'] }];
  });
}

/** Where the rule of a table stands: at the table, or at its sync. */
export function rulePath({ config }: CheckInput, { sync, path }: PlacedMaster): ConfigPath {
  const position = path[3];
  const found = config.syncs[sync.name];
  const entry = found !== undefined && typeof position === 'number' ? found.tables[position] : undefined;
  const isOwn = typeof entry === 'object' && 'onConflict' in entry && entry.onConflict !== undefined;
  return isOwn ? [...path.slice(0, 4), 'onConflict'] : ['syncs', sync.name, 'onConflict'];
}

function asMerge(choice: ConflictRuleConfig | undefined, path: ConfigPath): readonly PlacedRule[] {
  return choice !== undefined && isMergeRule(choice) ? [{ rule: choice, path }] : [];
}
