import { didYouMean } from '../../1-load/did-you-mean.ts';
import type { ConfigPath } from '../../1-load/fault.ts';
import { configSyncs, type Finding, type Rule } from '../rule.ts';

/** SAR110. */
export const unknownDatabase: Rule = {
  code: 'SAR110',
  severity: 'error',
  summary: 'a sync names a database that is not declared',
  explanation: 'The source and the targets of a sync, or its members, are names of entries of `databases`.',
  example: "source: 'eest'   // databases: { east, west }",
  cure: 'Name one of the entries of `databases`, or declare it there.',
  run: (input) => {
    const known = Object.keys(input.config.databases);
    const check = (name: string, path: ConfigPath): Finding[] => {
      if (known.includes(name)) return [];
      return [{ path, message: `there is no database '${name}'`, hint: didYouMean(name, known) ?? `Known databases: ${known.join(', ')}.` }];
    };
    const listed = (names: readonly string[], path: ConfigPath): Finding[] => names.flatMap((name, position) => check(name, [...path, position]));
    return configSyncs(input).flatMap(([name, sync]) => {
      if (sync.mode === 'multi-master') return listed(sync.members, ['syncs', name, 'members']);
      return [...check(sync.source, ['syncs', name, 'source']), ...listed(sync.targets, ['syncs', name, 'targets'])];
    });
  },
};
