import { mkdir, mkdtemp, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { unless } from '../support/binaries.ts';
import { root } from '../support/build.ts';

/** A program of Node, and the version that it says. */
export type NodeProgram = { readonly node: string; readonly version: string };

/** The Node of that version or range, from the packages that npm has of it, one for each platform; fetched once, and kept in `tmp`. */
export async function nodeOf(range: string): Promise<NodeProgram> {
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const version = await newestOf(name, range);
  const home = join(root, 'tmp', 'nodes', version);
  const node = join(home, 'package', 'bin', 'node');
  const known = await readdir(home).catch(unless('ENOENT'));
  if (known === undefined) await fetchInto(home, `${name}@${version}`);
  const { stdout } = await execa(node, ['--version']);
  return { node, version: stdout.replace(/^v/, '') };
}

/** npm lists all that fit, one a line, in the order in which they were published. */
async function newestOf(name: string, range: string): Promise<string> {
  const { stdout } = await execa('npm', ['view', `${name}@${range}`, 'version', '--json']);
  const found = [JSON.parse(stdout) as string | readonly string[]].flat();
  const parts = (version: string): readonly number[] => version.split('.').map(Number);
  const isNewer = (one: readonly number[], other: readonly number[]): boolean => {
    const place = one.findIndex((part, index) => part !== other[index]);
    return place >= 0 && (one[place] ?? 0) > (other[place] ?? 0);
  };
  return found.reduce((newest, each) => (isNewer(parts(each), parts(newest)) ? each : newest));
}

async function fetchInto(home: string, specifier: string): Promise<void> {
  const parent = join(root, 'tmp', 'nodes');
  await mkdir(parent, { recursive: true });
  const draft = await mkdtemp(join(parent, 'draft-'));
  const { stdout } = await execa('npm', ['pack', specifier, '--silent', '--pack-destination', draft]);
  await execa('tar', ['-xzf', join(draft, stdout.trim()), '-C', draft, 'package/bin/node']);
  await rename(draft, home);
}
