import { CORE_SCHEMA, load, YAMLException } from 'js-yaml';
import type { Span } from './diagnostic.ts';

/** What git leaves in a file that two branches have changed: one of them alone may be a line of somebody's text. */
const MARK = /^(<{7}|={7}|>{7}|\|{7})(?= |$)/gm;
const BEGINS = '<<<<<<<';

/** Why a generated file cannot be read, and where: at the first mark of a merge, or where it is no JSON or YAML any more. */
export type Unreadable = { readonly message: string; readonly span: Span | null };

/** `file` is the name for messages; `format` what the file was to be, `reason` what its reader said. */
export function unreadable(text: string, { file, format, reason }: { file: string; format: 'JSON' | 'YAML'; reason: string }): Unreadable {
  const mark = mergeMark(text);
  if (mark !== null) {
    const at = { file, ...placeOf(text, mark), endColumn: BEGINS.length + 1 };
    return { message: `it was merged by hand and still has the marks of that (${BEGINS})`, span: at };
  }
  return { message: `not readable as ${format}: ${reason}`, span: yamlSpan(text, file) };
}

function mergeMark(text: string): number | null {
  const marks = [...text.matchAll(MARK)];
  return marks.find(([mark]) => mark === BEGINS)?.index ?? (marks.length > 1 ? (marks[0]?.index ?? null) : null);
}

function placeOf(text: string, index: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, index).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

/** JSON is YAML, and its reader tells the place in every version of Node. */
function yamlSpan(text: string, file: string): Span | null {
  try {
    load(text, { schema: CORE_SCHEMA });
    return null;
  } catch (error) {
    if (!(error instanceof YAMLException) || !error.mark) return null;
    return { file, line: error.mark.line + 1, column: error.mark.column + 1 };
  }
}
