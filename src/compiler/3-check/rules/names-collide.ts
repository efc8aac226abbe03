import { displayName, type QualifiedName } from '../../../sql/quote.ts';
import { objectNames, wakeName } from '../../2-model/object-names.ts';
import type { CheckInput, Finding, Rule } from '../rule.ts';
import { configSyncs, capturedTables } from '../rule.ts';
import type { ConfigPath } from '../../1-load/fault.ts';

type Owner = { readonly database: string; readonly label: string; readonly names: readonly string[]; readonly path: ConfigPath };

/** SAR221. */
export const namesCollide: Rule = {
  code: 'SAR221',
  severity: 'error',
  summary: 'two objects of ours would have one name',
  explanation: 'The objects of a captured table are named after its schema and name, and two different pairs can give one name.',
  example: 'tables a.b_c and a_b.c',
  cure: 'Leave one of them out, or rename it in the database.',
  run: (input) => {
    const taken = new Map<string, Map<string, Owner>>();
    return [...tableOwners(input), ...syncOwners(input)].flatMap((owner) => owner.names.flatMap((name) => claim({ name, owner, taken })));
  },
};

function claim(options: { name: string; owner: Owner; taken: Map<string, Map<string, Owner>> }): Finding[] {
  const { name, owner, taken } = options;
  const there = taken.get(owner.database) ?? new Map<string, Owner>();
  const other = there.get(name);
  if (other === undefined) taken.set(owner.database, there.set(name, owner));
  if (!other || other.label === owner.label) return [];
  const message = `${owner.label} and ${other.label} would both have the object sarrio.${name} in database '${owner.database}'`;
  return [{ path: owner.path, message, hint: 'Rename one of the two, or leave one out.' }];
}

function tableOwners(input: CheckInput): Owner[] {
  return capturedTables(input).map(({ flow, table, path }) => {
    return { database: flow.source, label: displayName(table.source), names: allNames(table.source), path };
  });
}

function syncOwners(input: CheckInput): Owner[] {
  return configSyncs(input).flatMap(([name, sync]) => {
    const sources = sync.mode === 'multi-master' ? sync.members : [sync.source];
    return sources.map((database): Owner => ({ database, label: `sync '${name}'`, names: [wakeName(name)], path: ['syncs', name] }));
  });
}

function allNames(table: QualifiedName): string[] {
  return Object.values(objectNames(table)).flat();
}
