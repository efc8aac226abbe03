import { readBlocks } from '../../plan/sql-blocks.ts';
import { objectKey } from '../5-inspect/live-database.ts';
import type { BlockOf } from './diff-objects.ts';

/** Finds an object's statements in the generated files, by path under `generated/`. Loading has proven that each is there and has the plan's hash. */
export function blockFinder(files: ReadonlyMap<string, string>): BlockOf {
  const known = new Map<string, ReadonlyMap<string, string>>();
  return (object) => {
    const blocks = known.get(object.file) ?? textsIn(files.get(object.file) ?? '');
    known.set(object.file, blocks);
    const text = blocks.get(objectKey(object));
    if (text === undefined) throw new Error(`no statements of ${objectKey(object)} in ${object.file}`);
    return text;
  };
}

function textsIn(file: string): ReadonlyMap<string, string> {
  return new Map(readBlocks(file).map((block) => [objectKey(block), block.text]));
}
