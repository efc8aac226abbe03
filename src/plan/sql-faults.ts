import type { Diagnostic } from './diagnostic.ts';
import type { PlanObject } from './plan.ts';
import { readBlocks, type SqlBlock } from './sql-blocks.ts';

/** Every way in which the SQL files are not what the plan says: missing, changed or added statements. `shown` is the folder's name for messages. */
export function sqlFaults(options: { objects: readonly PlanObject[]; files: ReadonlyMap<string, string>; shown: string }): Diagnostic[] {
  const { objects, files, shown } = options;
  const blocks = new Map([...files].map(([path, text]) => [path, readBlocks(text)]));
  const missing = [...new Set(objects.map((object) => object.file))].filter((path) => !files.has(path));
  return [
    ...missing.map((path) => sqlFault(`${shown}/${path}`, 'the plan names this file, but it is not there')),
    ...objects.flatMap((object) => objectFaults(object, blocks.get(object.file)).map((message) => sqlFault(`${shown}/${object.file}`, message))),
    ...[...blocks].flatMap(([path, found]) => strangers({ path, found, objects }).map((message) => sqlFault(`${shown}/${path}`, message))),
  ];
}

function objectFaults(object: PlanObject, blocks: readonly SqlBlock[] | undefined): string[] {
  if (!blocks) return [];
  const found = blocks.filter((block) => block.kind === object.kind && block.name === object.name);
  const name = `${object.kind} ${object.name}`;
  if (found.length === 0) return [`the statements of ${name} are missing`];
  if (found.length > 1) return [`${name} stands here more than once`];
  return found[0]?.hash === object.hash ? [] : [`the statements of ${name} were changed after they were compiled`];
}

function strangers(options: { path: string; found: readonly SqlBlock[]; objects: readonly PlanObject[] }): string[] {
  const { path, found, objects } = options;
  const known = new Set(objects.filter(({ file }) => file === path).map((object) => `${object.kind} ${object.name}`));
  const names = found.map((block) => `${block.kind} ${block.name}`).filter((name) => !known.has(name));
  return [...new Set(names)].map((name) => `the statements of ${name} are not in the plan`);
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
