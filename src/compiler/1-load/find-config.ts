import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { failure } from '../../plan/errors.ts';

/** Names of a config, in the order in which they are looked for. */
const NAMES = ['ts', 'mts', 'cts', 'js', 'mjs', 'cjs', 'yaml', 'yml'].map((ending) => `replication.config.${ending}`);

/** The config of a folder: exactly one, since of two files one would be read and the other one edited. */
export function findConfig(cwd: string): string {
  const [first, ...others] = NAMES.filter((name) => existsSync(join(cwd, name)));
  if (first === undefined) {
    const hint = 'Run in the folder of the config, or name it with --config.';
    throw failure('invalid', { code: 'SAR100', message: `there is no file ${NAMES[0]} (nor .js, .mjs, .cjs, .yaml)`, hint });
  }
  if (others.length === 0) return join(cwd, first);
  throw failure('invalid', {
    code: 'SAR100',
    message: `there are several configs: ${[first, ...others].join(', ')}`,
    hint: 'Name one with --config, or delete the others.',
  });
}
