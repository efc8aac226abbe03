import { didYouMean } from '../../1-load/did-you-mean.ts';
import type { ConfigPath } from '../../1-load/fault.ts';
import type { ConflictRuleConfig, MultiMasterSync, UniqueRuleConfig } from '../../../index.ts';
import { isMergeRule } from '../../2-model/resolve-rule.ts';
import { type Finding, masterSyncs, masterTables, type Rule } from '../rule.ts';

/** SAR262. */
export const conflictRuleMissing: Rule = {
  code: 'SAR262',
  severity: 'error',
  summary: 'a table of a multi-master sync has no rule for conflicts',
  explanation: 'Sooner or later two members change one row at the same time. What happens then is for you to say, before it happens.',
  example: "mode: 'multi-master' without onConflict",
  cure: "onConflict: 'last-update-wins', for the sync or the table.",
  run: (input) =>
    masterTables(input).flatMap(({ table, label, sync, path }): readonly Finding[] => {
      if (table.rule !== null) return [];
      const hint =
        "Give the sync or the table an onConflict: 'last-update-wins', 'first-update-wins', 'skip', 'stop', a list of members in order of preference, a rule that merges, or a function.";
      return [{ path, message: `no onConflict says how conflicts of ${label} in sync '${sync.name}' are decided`, hint }];
    }),
};

/** SAR263. */
export const preferredDatabases: Rule = {
  code: 'SAR263',
  severity: 'error',
  summary: 'a list of preferred databases names one that is no member, or one twice',
  explanation: 'The first database of the list that takes part in a conflict wins; of those that it does not name, the first in the order of the members.',
  example: "onConflict: ['north']   // members: ['east', 'west']",
  cure: 'Name members, each once.',
  run: (input) =>
    masterSyncs(input).flatMap(([name, sync]) => {
      const path = ['syncs', name];
      const own = sync.tables.flatMap((entry, position) => {
        const place = [...path, 'tables', position];
        if (typeof entry === 'string') return [];
        return [...listFaults(sync, entry.onConflict, [...place, 'onConflict']), ...listFaults(sync, entry.onUnique, [...place, 'onUnique'])];
      });
      return [...listFaults(sync, sync.onConflict, [...path, 'onConflict']), ...listFaults(sync, sync.onUnique, [...path, 'onUnique']), ...own];
    }),
};

function listFaults(sync: MultiMasterSync, choice: ConflictRuleConfig | UniqueRuleConfig | undefined, path: ConfigPath): readonly Finding[] {
  if (choice === undefined || typeof choice === 'string' || typeof choice === 'function') return [];
  if (isMergeRule(choice)) return listFaults(sync, choice.otherwise, [...path, 'otherwise']);
  const { members } = sync;
  return choice.flatMap((name, position): readonly Finding[] => {
    const place = [...path, position];
    if (!members.includes(name)) {
      return [{ path: place, message: `'${name}' is no member of the sync`, hint: didYouMean(name, members) ?? `Its members: ${members.join(', ')}.` }];
    }
    return choice.indexOf(name) === position ? [] : [{ path: place, message: `'${name}' is listed twice`, hint: 'Leave one of the two out.' }];
  });
}
