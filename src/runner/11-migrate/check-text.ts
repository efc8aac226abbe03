import { failure } from '../../plan/errors.ts';

/** What a migration may not hold, because its statements run in one transaction of ours together with the record that they ran. */
const REFUSED: readonly (readonly [RegExp, string])[] = [
  [/^(begin|start\s+transaction|commit|end|rollback|abort|prepare\s+transaction)\b/i, 'begins or ends a transaction'],
  [/\bconcurrently\b/i, 'says CONCURRENTLY, which no transaction can hold'],
  [/^\\/, 'is a command of psql'],
  [/^copy\b[\s\S]*\bfrom\s+stdin\b/i, 'reads data from standard input'],
  [/\bsession_replication_role\b/i, 'changes session_replication_role, so that its changes would not be captured'],
  [/\bsarrio\s*\./i, 'names an object of schema sarrio'],
];

/** @throws SarrioError with every statement that a migration cannot hold, by its line. */
export function refuseUnfitText(file: string, text: string): void {
  const faults = splitStatements(text).flatMap(({ line, code }) => {
    const found = REFUSED.find(([pattern]) => pattern.test(code));
    return found === undefined ? [] : [`line ${line} ${found[1]}`];
  });
  if (splitStatements(text).length === 0) faults.push('it holds no statement');
  if (faults.length === 0) return;
  throw failure('invalid', {
    code: 'SAR820',
    where: file,
    message: `this cannot be a migration: ${faults.join('; ')}`,
    hint: 'All of its statements run in one transaction of each database, with the record that they ran. Do what cannot be part of one before or after it.',
  });
}

/** A statement with its literals and comments blanked out, and the line where it begins. */
export type Statement = { readonly line: number; readonly code: string };

const TOKEN = /--[^\n]*|\/\*[\s\S]*?\*\/|\$([A-Za-z_]\w*)?\$[\s\S]*?\$\1\$|[eE]'(?:[^'\\]|\\[\s\S]|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|;|[\s\S]/g;

export function splitStatements(text: string): readonly Statement[] {
  const statements: { line: number; code: string }[] = [];
  let [line, code] = [1, ''];
  let start = 1;
  const end = (): void => {
    if (code.trim() !== '') statements.push({ line: start, code: code.trim() });
    code = '';
  };
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === ';') end();
    else {
      const isComment = /^(--|\/\*)/.test(token);
      if (code.trim() === '' && token.trim() !== '' && !isComment) start = line;
      code += isComment ? ' ' : /^(\$\w*\$|[eE]?')/.test(token) && token.length > 1 ? "''" : token;
    }
    line += token.split('\n').length - 1;
  }
  end();
  return statements;
}
