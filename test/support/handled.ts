import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { verb as apply } from '../../src/commands/apply.ts';
import { verb as compile } from '../../src/commands/compile.ts';
import { verb as pull } from '../../src/commands/pull.ts';
import { verb as run } from '../../src/commands/run.ts';
import type { Verb } from '../../src/commands/verb.ts';
import type { TestDatabase } from './database.ts';
import { freshDatabase } from './databases.ts';
import { onAll } from './follow.ts';
import { at } from './masters.ts';
import { type Outcome, runVerb } from './run-verb.ts';

/** Masters of a config in TypeScript, with handlers, and the verbs in this process. */
export type Handled = {
  readonly members: readonly TestDatabase[];
  readonly generated: string;
  readonly env: Readonly<Record<string, string>>;
  verb(which: Verb, ...args: readonly string[]): Promise<Outcome>;
};

export type HandledOptions = {
  /** By table, the text of its settings: `onException: () => park()`. */
  readonly tables: Readonly<Record<string, string>>;
  readonly count?: number;
  /** Run on the first member before it is copied to the others. */
  readonly seed?: string;
};

const NAMES = ['east', 'west', 'north'] as const;

/** Members with one sync over all their tables, applied and copied. */
export async function handled(schema: string, { tables, count = 3, seed = '' }: HandledOptions): Promise<Handled> {
  const names = NAMES.slice(0, count);
  const members: TestDatabase[] = [];
  for (const name of names) members.push(await freshDatabase(name));
  await onAll(members, schema);
  await at(members, 0).script(seed);
  const dir = await mkdtemp(join(tmpdir(), 'sarrio-handled-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const entries = Object.entries(tables).map(([name, settings]) => `{ table: 'public.${name}', ${settings} }`);
  const listed = names.map((name) => `'${name}'`).join(', ');
  await writeFile(
    join(dir, 'replication.config.ts'),
    `import { defineReplication, env, keep, merge, park, remove, retry, skip, stop, take } from 'sarrio';
    export default defineReplication({
      databases: { ${names.map((name) => `${name}: env('${name.toUpperCase()}_URL')`).join(', ')} },
      syncs: { m: { mode: 'multi-master', members: [${listed}], onConflict: 'last-update-wins', tables: ['public.*', ${entries.join(', ')}] } },
    } as never);
    void [keep, merge, park, remove, retry, skip, stop, take];`,
  );
  const env = Object.fromEntries(names.map((name, index) => [`${name.toUpperCase()}_URL`, at(members, index).url]));
  const generated = join(dir, 'generated');
  const verb = (which: Verb, ...args: readonly string[]): Promise<Outcome> => runVerb(which, [...args, '--generated', generated], { cwd: dir, env });
  for (const [which, ...args] of [[pull], [compile], [apply], [run, '--until-caught-up']] as const) {
    const { exit, diagnostics } = await verb(which, ...args);
    expect([exit, diagnostics.filter(({ severity }) => severity === 'error')]).toEqual(['ok', []]);
  }
  return { members, generated, env, verb };
}
