import { readdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { execa } from 'execa';
import type { TestDatabase } from '../support/database.ts';
import type { Repository } from './repositories.ts';

/** Where `sarrio` is installed, and the Node that runs it. */
export type Place = { readonly folder: string; readonly node: string; readonly main: TestDatabase; readonly copy: TestDatabase };

const SCHEMA = `
  create table public.notes (id integer primary key, note text);
  create table public.orders (id integer primary key, amount numeric);
`;

/** From `pull` to the first rows that arrived, once by a one-way sync and once by a handler that decided between masters. Throws what went wrong. */
export async function journey(place: Place): Promise<void> {
  const { main, copy } = place;
  for (const database of [main, copy]) await database.script(SCHEMA);
  await main.script("insert into notes values (1, 'first')");
  for (const verb of ['pull', 'compile', 'check', 'plan', 'apply']) await sarrio(place, verb);
  await sarrio(place, 'run', '--until-caught-up');
  await main.script('insert into orders values (1, 10)');
  await copy.script('insert into orders values (1, 20)');
  await sarrio(place, 'run', '--until-caught-up');
  await sarrio(place, 'run', '--until-caught-up');
  const rows = await Promise.all([copy.query('select * from notes'), ...[main, copy].map((database) => database.query('select * from orders'))]);
  const wanted = [[{ id: 1, note: 'first' }], ...[main, copy].map(() => [{ id: 1, amount: '20' }])];
  if (JSON.stringify(rows) !== JSON.stringify(wanted)) throw new Error(`wrong rows: ${JSON.stringify(rows)}`);
  await sarrio(place, 'verify');
}

/** `tsc` over the config and the types that `pull` wrote, with each of the repository's settings. Throws what it says. */
export async function typed(folder: string, { settings }: Repository): Promise<void> {
  for (const each of settings) await typedWith(folder, each);
}

/** As a script of `package.json` would call it. */
async function sarrio({ folder, node, main, copy }: Place, ...args: readonly string[]): Promise<void> {
  const path = [dirname(node), join(folder, 'node_modules/.bin'), process.env['PATH'] ?? ''].join(delimiter);
  const env = { PATH: path, MAIN_URL: main.url, COPY_URL: copy.url, NO_COLOR: '1' };
  const { failed, all, exitCode } = await execa('sarrio', args, { cwd: folder, env, all: true, reject: false, stdin: 'ignore' });
  if (failed) throw new Error(`sarrio ${args.join(' ')} ended with ${exitCode}:\n${all}`);
}

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');

async function typedWith(folder: string, compilerOptions: Readonly<Record<string, unknown>>): Promise<void> {
  const [config = ''] = (await readdir(folder)).filter((name) => name.startsWith('replication.config.'));
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: [config, 'generated/schema.d.ts'] }));
  const { failed, stdout } = await execa(process.execPath, [tsc, '-p', folder], { cwd: folder, reject: false });
  if (failed) throw new Error(`tsc with ${JSON.stringify(compilerOptions)}:\n${stdout}`);
}
