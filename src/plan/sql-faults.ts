import type { Diagnostic } from './diagnostic.ts';
import type { PlanObject } from './plan.ts';
import { blockHash, readBlocks, type SqlBlock } from './sql-blocks.ts';

/** Every way in which the SQL files are not what the plan says: missing, changed or added statements. `shown` is the folder's name for messages. */
export function sqlFaults(options: { objects: readonly PlanObject[]; files: ReadonlyMap<string, string>; shown: string }): Diagnostic[] {
  const { objects, files, shown } = options;
  const blocks = new Map([...files].map(([path, text]) => [path, blocksByName(text)]));
  const planned = namesByFile(objects);
  const missing = [...new Set(objects.map((object) => object.file))].filter((path) => !files.has(path));
  return [
    ...missing.map((path) => sqlFault(`${shown}/${path}`, 'the plan names this file, but it is not there')),
    ...objects.flatMap((object) => objectFaults(object, blocks.get(object.file)).map((message) => sqlFault(`${shown}/${object.file}`, message))),
    ...[...blocks].flatMap(([path, found]) => strangers(found, planned.get(path)).map((message) => sqlFault(`${shown}/${path}`, message))),
  ];
}

type BlocksByName = ReadonlyMap<string, readonly SqlBlock[]>;

function blocksByName(text: string): BlocksByName {
  const blocks = new Map<string, SqlBlock[]>();
  for (const block of readBlocks(text)) {
    const name = nameOf(block);
    const same = blocks.get(name);
    if (same) same.push(block);
    else blocks.set(name, [block]);
  }
  return blocks;
}

function namesByFile(objects: readonly PlanObject[]): ReadonlyMap<string, ReadonlySet<string>> {
  const names = new Map<string, Set<string>>();
  for (const object of objects) {
    const same = names.get(object.file);
    if (same) same.add(nameOf(object));
    else names.set(object.file, new Set([nameOf(object)]));
  }
  return names;
}

function nameOf({ kind, name }: { readonly kind: string; readonly name: string }): string {
  return `${kind} ${name}`;
}

function objectFaults(object: PlanObject, blocks: BlocksByName | undefined): string[] {
  if (!blocks) return [];
  const name = nameOf(object);
  const [found, another] = blocks.get(name) ?? [];
  if (!found) return [`the statements of ${name} are missing`];
  if (another) return [`${name} stands here more than once`];
  return blockHash(found.text) === object.hash ? [] : [`the statements of ${name} were changed after they were compiled`];
}

function strangers(found: BlocksByName, planned: ReadonlySet<string> = new Set()): string[] {
  return [...found.keys()].filter((name) => !planned.has(name)).map((name) => `the statements of ${name} are not in the plan`);
}

function sqlFault(file: string, message: string): Diagnostic {
  return {
    code: 'SAR307',
    severity: 'error',
    message,
    hint: 'Run `sarrio compile` again, and never edit the file: change the config instead.',
    span: null,
    where: file,
  };
}
