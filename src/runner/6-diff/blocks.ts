import { readBlocks } from '../../plan/sql-blocks.ts';
import { objectKey } from '../5-inspect/live-database.ts';
import type { BlockOf } from './diff-objects.ts';

/** Finds an object's statements in the generated files, by path under `generated/`. Loading has proven that each is there and has the plan's hash. */
export function blockFinder(files: ReadonlyMap<string, string>): BlockOf {
  const blocks = new Map([...files].map(([path, text]) => [path, new Map(readBlocks(text).map((block) => [objectKey(block), block.text]))]));
  return (object) => {
    const text = blocks.get(object.file)?.get(objectKey(object));
    if (text === undefined) throw new Error(`no statements of ${objectKey(object)} in ${object.file}`);
    return text;
  };
}
