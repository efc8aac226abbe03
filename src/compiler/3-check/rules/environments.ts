import type { SyncConfig } from '../../../index.ts';
import { didYouMean } from '../../1-load/did-you-mean.ts';
import type { ConfigPath } from '../../1-load/fault.ts';
import { NUMBERS } from '../../2-model/build-environments.ts';
import type { CheckInput, Finding, Rule } from '../rule.ts';

/** SAR120. */
export const environmentDatabases: Rule = {
  code: 'SAR120',
  severity: 'error',
  summary: 'an environment does not name each database once',
  explanation:
    'Nothing of another environment is inherited: a database that is forgotten would be that of somebody else. So every environment says where each database is, and no two of them are one.',
  example: "environments: { staging: { databases: { east: env('STAGING_EAST_URL') } } }   // databases: { east, west }",
  cure: 'Name every database of the config in every environment, each with a variable of its own.',
  run: (input) =>
    environments(input).flatMap(([environment, { databases }]) => {
      const path = ['environments', environment, 'databases'];
      const known = Object.keys(input.config.databases);
      const missing = known.filter((name) => !Object.hasOwn(databases, name));
      const unknown = Object.keys(databases).filter((name) => !known.includes(name));
      return [
        ...missing.map((name) => finding(path, `environment '${environment}' does not say where database '${name}' is`, `Add ${name}: env('…').`)),
        ...unknown.map((name): Finding => {
          const hint = didYouMean(name, known) ?? `Known databases: ${known.join(', ')}.`;
          return { path: [...path, name], part: 'key', message: `there is no database '${name}'`, hint };
        }),
        ...sharedVariables(databases, path),
      ];
    }),
};

/** SAR121. */
export const environmentNumbers: Rule = {
  code: 'SAR121',
  severity: 'error',
  summary: 'an environment gives a number to something that has none',
  explanation:
    'A number of an environment takes the place of one that the sync has by its mode. A guard has statements, so an environment changes its numbers and never brings one.',
  example: "environments: { staging: { …, syncs: { orders: { every: '1h' } } } }   // orders is a one-way sync",
  cure: 'Name a sync of the config and a setting of its mode; put what is no number into the sync itself.',
  run: (input) =>
    environments(input).flatMap(([environment, { syncs = {} }]) =>
      Object.entries(syncs).flatMap(([name, numbers]) => {
        const path = ['environments', environment, 'syncs', name];
        const sync = Object.hasOwn(input.config.syncs, name) ? input.config.syncs[name] : undefined;
        if (sync === undefined) return [unknownSync(name, Object.keys(input.config.syncs), path)];
        return Object.keys(numbers ?? {}).flatMap((setting) => unfit({ name, sync, setting, path }));
      }),
    ),
};

function environments({ config }: CheckInput) {
  return Object.entries(config.environments ?? {});
}

function finding(path: ConfigPath, message: string, hint: string): Finding {
  return { path, message, hint };
}

function sharedVariables(databases: Readonly<Record<string, { readonly env: string }>>, path: ConfigPath): readonly Finding[] {
  const first = new Map<string, string>();
  return Object.entries(databases).flatMap(([name, { env }]) => {
    const other = first.get(env);
    if (other !== undefined)
      return [finding([...path, name], `databases '${other}' and '${name}' have the same variable ${env}`, 'Give each database a variable of its own.')];
    first.set(env, name);
    return [];
  });
}

function unknownSync(name: string, known: readonly string[], path: ConfigPath): Finding {
  return { path, part: 'key', message: `there is no sync '${name}'`, hint: didYouMean(name, known) ?? `Known syncs: ${known.join(', ')}.` };
}

type Setting = { readonly name: string; readonly sync: SyncConfig; readonly setting: string; readonly path: ConfigPath };

function unfit({ name, sync, setting, path }: Setting): readonly Finding[] {
  const allowed: readonly string[] = NUMBERS[sync.mode];
  const place = { path: [...path, setting], part: 'key' } as const;
  if (!allowed.includes(setting)) {
    return [{ ...place, message: `${setting} is no number of a ${sync.mode} sync`, hint: `Of ${name}, environments can bind: ${allowed.join(', ')}.` }];
  }
  if (setting !== 'guard' || (sync.mode === 'one-way' && sync.guard !== undefined)) return [];
  return [
    {
      ...place,
      message: `sync '${name}' has no guard whose numbers could be others`,
      hint: 'Give the sync itself a guard; its statements are the same everywhere.',
    },
  ];
}
