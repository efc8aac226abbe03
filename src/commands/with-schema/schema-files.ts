import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readIfPresent } from '../../plan/generated-files.ts';
import { readSchemaFile, SCHEMA_FOLDER, type SchemaFile } from '../../plan/schema-file.ts';

/** All files of `pull --with-schema`, with their texts, by the names of their databases. */
export async function readSchemaFiles(dir: string): Promise<readonly (SchemaFile & { readonly text: string })[]> {
  const files = [];
  for (const name of await namesIn(dir)) {
    const text = await readIfPresent(join(dir, SCHEMA_FOLDER, name));
    if (text !== null) files.push({ ...readSchemaFile(text, `${SCHEMA_FOLDER}/${name}`), text });
  }
  return files;
}

/** Removes those of databases that lack nothing any more. */
export async function removeSchemaFiles(dir: string, kept: ReadonlySet<string>): Promise<void> {
  for (const name of await namesIn(dir)) {
    const path = join(dir, SCHEMA_FOLDER, name);
    if (!kept.has(name.slice(0, -'.sql'.length)) && (await readIfPresent(path))?.startsWith('-- Made by sarrio pull --with-schema')) await rm(path);
  }
}

async function namesIn(dir: string): Promise<readonly string[]> {
  try {
    return (await readdir(join(dir, SCHEMA_FOLDER))).filter((name) => name.endsWith('.sql')).sort();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
