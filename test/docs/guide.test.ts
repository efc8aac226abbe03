import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { buildOnce, program, root } from '../support/build.ts';
import type { TestDatabase } from '../support/database.ts';
import { freshDatabase } from '../support/databases.ts';
import { waitUntil } from '../support/wait.ts';
import { type Command, documentOf, type Piece, piecesOf, psqlTable, steady } from './console.ts';

/**
 * `docs/guide.md` is a journey from two databases to a killed runner and back to nothing. Here every command of it is given, in a folder of its
 * own over two databases, by the real program. `UPDATE_GUIDE=1` writes down what was shown.
 */
const GUIDE = join(root, 'docs/guide.md');
const SHOP = `
  create table customers (id int primary key, name text not null, email text, deleted_at timestamptz);
  create table orders (id int primary key, customer int not null references customers, total numeric(12,2), placed_at timestamptz not null default now());
  create table audit_log (line text);
`;

type Place = { readonly dir: string; readonly env: Readonly<Record<string, string>>; readonly databases: Readonly<Record<string, TestDatabase>> };

beforeAll(buildOnce, 60_000);

async function place(): Promise<Place> {
  const [shop, reporting] = [await freshDatabase('shop'), await freshDatabase('reporting')];
  await shop.script(SHOP);
  await shop.script(`insert into customers select g, 'Customer ' || g, 'c' || g || '@example.org' from generate_series(1, 200) as g;
    insert into orders select g, 1 + g % 200, g * 1.5 from generate_series(1, 5000) as g;
    analyze`);
  await reporting.script(SHOP);
  const dir = await mkdtemp(join(tmpdir(), 'sarrio-guide-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  await mkdir(join(dir, 'bin'));
  await mkdir(join(dir, 'node_modules'));
  await symlink(root, join(dir, 'node_modules/sarrio'));
  await writeFile(join(dir, 'bin/npx'), `#!/bin/sh\nshift\nexec "${process.execPath}" "${program}" "$@"`);
  await chmod(join(dir, 'bin/npx'), 0o755);
  const env = { PATH: `${join(dir, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`, SHOP_URL: shop.url, REPORTING_URL: reporting.url };
  onTestFinished(async () => void (await shell({ dir, env }, 'kill -9 $(cat *.pid) 2>/dev/null; true')));
  return { dir, env, databases: { SHOP_URL: shop, REPORTING_URL: reporting } };
}

async function shell({ dir, env }: Pick<Place, 'dir' | 'env'>, script: string): Promise<string> {
  const { all } = await execa('bash', ['--noprofile', '--norc', '-c', script], { cwd: dir, env, extendEnv: false, reject: false, all: true });
  return String(all).trim();
}

/** What a command shows. psql does not come with the servers of the tests. */
async function give(at: Place, line: string): Promise<string> {
  const [, variable = '', statement = ''] = /^psql (?:-q )?\$(\w+) -c "(.*)"$/.exec(line) ?? [];
  const database = at.databases[variable];
  if (database === undefined) return shell(at, line);
  const rows = await database.query(statement);
  return rows.length === 0 ? '' : psqlTable(rows);
}

async function play(at: Place, piece: Piece): Promise<Piece> {
  if (piece.kind === 'text') return piece;
  if (piece.kind === 'file') {
    await mkdir(dirname(join(at.dir, piece.path)), { recursive: true });
    await writeFile(join(at.dir, piece.path), piece.text);
    return piece;
  }
  const { until } = piece;
  let commands: readonly Command[] = [];
  await waitUntil(`'${until}' is shown`, async () => {
    const given: Command[] = [];
    for (const { line } of piece.commands) given.push({ line, shown: await give(at, line) });
    commands = given;
    return until === null || given.some(({ shown }) => shown.includes(until));
  });
  return { ...piece, commands };
}

test('every command of the guide shows what the guide says', async () => {
  const written = await readFile(GUIDE, 'utf8');
  const pieces = piecesOf(written);
  const at = await place();
  const played: Piece[] = [];
  for (const piece of pieces) played.push(await play(at, piece));
  if (process.env['UPDATE_GUIDE']) await writeFile(GUIDE, documentOf(played));
  else expect(steady(documentOf(played))).toBe(steady(written));
}, 300_000);
