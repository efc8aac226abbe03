import { generatedHeader } from '../../plan/generated-header.ts';
import type { ObjectKind, PlanObject } from '../../plan/plan.ts';
import { anchor, blockHash } from '../../plan/sql-blocks.ts';
import type { Sql } from '../../sql/sql.ts';

/** An object of ours before it has a place in a file. */
export type EmittedObject = {
  readonly kind: ObjectKind;
  readonly name: string;
  readonly lock: PlanObject['lock'];
  readonly text: Sql;
};

/** One generated SQL file: a summary in words, then the objects' blocks in the order of installation. */
export type SqlFile = {
  readonly path: string;
  readonly group: string;
  readonly summary: readonly string[];
  readonly objects: readonly EmittedObject[];
};

/** A file as it is written, and the plan's entries for its objects. */
export type PrintedFile = { readonly path: string; readonly text: string; readonly objects: readonly PlanObject[] };

export function printed(file: SqlFile): PrintedFile {
  return { path: file.path, text: printFile(file), objects: planObjects(file) };
}

/** The file as text, fit for `psql -f`, safe to run twice. */
function printFile(file: SqlFile): string {
  const summary = file.summary.map((line) => `-- ${line}`);
  const blocks = file.objects.map((object) => `${anchor(object)}\n${object.text.text}\n`);
  return `${generatedHeader('--')}\n--\n${summary.join('\n')}\n\nbegin;\n\n${blocks.join('\n')}\ncommit;\n`;
}

/** The plan's entries for the file's objects. */
function planObjects(file: SqlFile): readonly PlanObject[] {
  return file.objects.map(({ kind, name, lock, text }) => ({ kind, name, group: file.group, lock, file: file.path, hash: blockHash(text.text) }));
}
