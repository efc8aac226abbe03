import { closeSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { byCodeUnit } from './canonical.ts';
import { failure, SarrioError } from './errors.ts';
import { hasGeneratedHeader } from './generated-header.ts';
import { handlerFaults, handlerRules } from './handler-files.ts';
import type { Plan } from './plan.ts';
import { PORTION, portionsOf } from './portions.ts';
import { readPlan } from './read-plan.ts';
import { sqlFaults } from './sql-faults.ts';

/** The plan's file under `generated/`. */
export const PLAN_FILE = 'plan.yaml';
/** The schema lock's file under `generated/`. */
export const LOCK_FILE = 'schema.lock.json';
/** The types of the schema lock's databases, under `generated/`. */
export const TYPES_FILE = 'schema.d.ts';

/** What the verbs that touch databases read: the plan, and the text of every file that it names, by path under `generated/`. */
export type Generated = { readonly plan: Plan; readonly files: ReadonlyMap<string, string> };

/** Reads `generated/` and proves that nothing in it was changed since it was compiled. `dir` is its path. */
export async function loadGenerated(dir: string): Promise<Generated> {
  const shown = basename(dir);
  const text = await readIfPresent(join(dir, PLAN_FILE));
  if (text === null) {
    throw failure('invalid', {
      code: 'SAR301',
      where: `${shown}/${PLAN_FILE}`,
      message: 'there is no such file',
      hint: 'Run `sarrio pull` and `sarrio compile` first, or name the folder with --generated.',
    });
  }
  const plan = readPlan(text, `${shown}/${PLAN_FILE}`);
  const objects = Object.values(plan.databases).flatMap((database) => database.objects);
  const rules = handlerRules(plan);
  const files = readFiles(
    dir,
    objects.map(({ file }) => file),
  );
  const handlers = readFiles(
    dir,
    rules.map(({ file }) => file),
  );
  const diagnostics = [...sqlFaults({ objects, files, shown }), ...handlerFaults({ rules, files: handlers, shown })];
  if (diagnostics.length > 0) throw new SarrioError({ exit: 'invalid', diagnostics });
  return { plan, files: new Map([...files, ...handlers]) };
}

/** How what stands in `generated/` differs from what it should be; paths with forward slashes, sorted. */
export type GeneratedChanges = { readonly written: readonly string[]; readonly deleted: readonly string[] };

/** What stood in files and when, for somebody who looks again and again: a file that nobody has touched is not read anew. */
export type SeenFiles = Map<string, { readonly text: string; readonly state: string }>;

/** Compares `generated/` with the files that should stand there. Line ends do not count, so a CRLF checkout is not stale. */
export async function compareGenerated(dir: string, files: ReadonlyMap<string, string>, seen?: SeenFiles): Promise<GeneratedChanges> {
  const paths = [...files.keys()].sort(byCodeUnit);
  const written = paths.filter((path) => {
    const [wanted, state, known] = [files.get(path) ?? '', seen ? stateOf(join(dir, path)) : '', seen?.get(path)];
    // A plan of a thousand tables has 35 MB: what nobody has touched since is known without reading it.
    if (known !== undefined && known.state === state) return known.text !== wanted;
    const isSame = holds(join(dir, path), wanted);
    if (isSame) seen?.set(path, { text: wanted, state });
    return !isSame;
  });
  return { written, deleted: await staleFiles(dir, files) };
}

/** Compared as bytes, since most files are as they should be. */
function holds(path: string, wanted: string): boolean {
  const found = bytesIfPresent(path);
  if (found === null) return false;
  return isWritten(found, wanted) || (found.includes('\r\n') && found.toString('utf8').replaceAll('\r\n', '\n') === wanted);
}

/** No unit of a text takes more than three bytes. */
const scratch = Buffer.allocUnsafe(3 * PORTION);

function isWritten(found: Buffer, wanted: string): boolean {
  let at = 0;
  for (const portion of portionsOf(wanted)) {
    const length = scratch.write(portion);
    if (!found.subarray(at, at + length).equals(scratch.subarray(0, length))) return false;
    at += length;
  }
  return at === found.length;
}

function writeText(path: string, text: string): void {
  const file = openSync(path, 'w');
  try {
    for (const portion of portionsOf(text)) {
      const length = scratch.write(portion);
      for (let at = 0; at < length; ) at += writeSync(file, scratch, at, length - at);
    }
  } finally {
    closeSync(file);
  }
}

/** Makes `generated/` hold exactly these files of ours. Touches no file that is already right, and deletes only files with our header. */
export async function writeGenerated(dir: string, files: ReadonlyMap<string, string>, seen?: SeenFiles): Promise<GeneratedChanges> {
  const changes = await compareGenerated(dir, files, seen);
  for (const folder of new Set(changes.written.map((path) => dirname(join(dir, path))))) await mkdir(folder, { recursive: true });
  for (const path of changes.written) {
    const text = files.get(path) ?? '';
    writeText(join(dir, path), text);
    seen?.set(path, { text, state: stateOf(join(dir, path)) });
  }
  for (const path of changes.deleted) await rm(join(dir, path));
  return changes;
}

/** Another text whenever the file was written. */
function stateOf(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats === undefined ? '' : `${stats.mtimeMs} ${stats.size} ${stats.ino}`;
}

/** A text file, or null when there is none. */
export async function readIfPresent(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

async function staleFiles(dir: string, files: ReadonlyMap<string, string>): Promise<string[]> {
  const stale: string[] = [];
  for (const path of await listFiles(dir)) {
    if (files.has(path) || path === LOCK_FILE) continue;
    if (hasGeneratedHeader((await readIfPresent(join(dir, path))) ?? '')) stale.push(path);
  }
  return stale.sort(byCodeUnit);
}

async function listFiles(dir: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(dir, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => relativePath(dir, join(entry.parentPath, entry.name)));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function relativePath(dir: string, path: string): string {
  return path.slice(join(dir, '/').length).replaceAll('\\', '/');
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

function readFiles(dir: string, wanted: readonly string[]): ReadonlyMap<string, string> {
  const paths = [...new Set(wanted)].sort(byCodeUnit);
  return new Map(
    paths.flatMap((path) => {
      const bytes = bytesIfPresent(join(dir, path));
      return bytes === null ? [] : [[path, bytes.toString('utf8')] as const];
    }),
  );
}

/** One after the other without waiting: of a thousand small files each wait would cost more than the reading. */
function bytesIfPresent(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}
