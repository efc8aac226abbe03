import type { ConfigPath } from '../../1-load/fault.ts';
import type { Model } from '../../2-model/model.ts';
import type { Finding, Rule } from '../rule.ts';

/** SAR220. */
export const encodings: Rule = {
  code: 'SAR220',
  severity: 'error',
  summary: 'a SQL_ASCII database replicates with one of another encoding',
  explanation: 'SQL_ASCII means that the server does not know what the bytes are, so that they cannot be converted; other encodings are.',
  example: 'east has SQL_ASCII, west UTF8',
  cure: 'Make a database of the same encoding.',
  run: ({ model, lock }) =>
    directions(model).flatMap(({ source, target, path }): Finding[] => {
      const from = lock.databases[source]?.encoding;
      const to = lock.databases[target]?.encoding;
      if (!from || !to || from === to || (from !== 'SQL_ASCII' && to !== 'SQL_ASCII')) return [];
      const message = `database '${source}' has the encoding ${from} and '${target}' has ${to}`;
      return [{ path, message, hint: 'Give both the same encoding.' }];
    }),
};

/** SAR245. */
export const narrowEncoding: Rule = {
  code: 'SAR245',
  severity: 'warning',
  summary: 'a target has an encoding that lacks characters of the source',
  explanation: 'Characters are converted, and UTF8 has all of them. In any other encoding the first character that it lacks stops the stream.',
  example: 'east has UTF8, west LATIN1',
  cure: "Make the target's database with UTF8.",
  run: ({ model, lock }) =>
    directions(model).flatMap(({ source, target, path }): Finding[] => {
      const from = lock.databases[source]?.encoding;
      const to = lock.databases[target]?.encoding;
      if (!from || !to || from === to || to === 'UTF8' || [from, to].includes('SQL_ASCII')) return [];
      const message = `database '${source}' has the encoding ${from} and '${target}' has ${to}: a character that ${to} lacks stops the stream`;
      return [{ path, message, hint: 'Make the target a database with encoding UTF8, unless its texts are known to fit.' }];
    }),
};

type Direction = { readonly source: string; readonly target: string; readonly path: ConfigPath };

/** Each source with each of its targets; of members, each with each other. */
function directions({ syncs }: Model): readonly Direction[] {
  return syncs.flatMap((sync): readonly Direction[] => {
    if (sync.mode !== 'multi-master')
      return sync.targets.map((target, position) => ({ source: sync.source, target, path: ['syncs', sync.name, 'targets', position] }));
    return sync.members.flatMap((source) =>
      sync.members.flatMap((target, position) => (target === source ? [] : [{ source, target, path: ['syncs', sync.name, 'members', position] }])),
    );
  });
}
