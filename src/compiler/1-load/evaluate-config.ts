import { existsSync } from 'node:fs';
import { dirname, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Diagnostic, Span } from '../../plan/diagnostic.ts';
import { SarrioError } from '../../plan/errors.ts';
import { decode, difference } from './evaluate/decode.ts';
import type { Evaluation, Evaluator, Exit, Read } from './evaluate/evaluator.ts';
import type { ConfigPath } from './fault.ts';
import { wordsIn } from './words-in.ts';

export type Evaluated = {
  readonly value: unknown;
  /** Files of the user's that were read for it. */
  readonly files: readonly string[];
  readonly reads: readonly Read[];
  /** Where the value differs in other surroundings. */
  readonly unequal: ConfigPath | null;
};

export type EvaluateOptions = { readonly path: string; readonly file: string; readonly evaluator: Evaluator; readonly timeoutMs: number };

/** What the config file exports by default. `path` is where it is, `file` how messages call it. */
export async function evaluateConfig(options: EvaluateOptions): Promise<Evaluated> {
  const { path, file } = options;
  if (!existsSync(path)) throw missing(file);
  const result = await options.evaluator.evaluate(path, options.timeoutMs);
  if (result.kind !== 'value') throw notEvaluated(result, options);
  const value = decode(result.first);
  if (value !== undefined) return { value, files: result.files, reads: result.reads, unequal: difference(result.first, result.second) };
  const span = { file, line: 1, column: 1 };
  throw invalid({ code: 'SAR102', message: 'the file exports no config', hint: 'Write: export default defineReplication({ … })', span });
}

export function missing(file: string): SarrioError {
  return invalid({ code: 'SAR100', message: `there is no file ${file}`, hint: 'Run in the folder of the config, or name it with --config.', span: null });
}

function notEvaluated(result: Exclude<Evaluation, { kind: 'value' }>, { path, file, timeoutMs }: EvaluateOptions): SarrioError {
  const top = { file, line: 1, column: 1 };
  switch (result.kind) {
    case 'slow': {
      const hint = 'A config is a value: it has nothing to wait for. If it only needs more time: --config-timeout SECONDS';
      return invalid({ code: 'SAR106', message: `the config did not end within ${timeoutMs / 1000} s`, hint, span: top });
    }
    case 'unsettled':
      return invalid({ code: 'SAR106', message: 'the config waits for something that never comes', hint: 'Look at what it awaits.', span: top });
    case 'gone':
      return invalid({ code: 'SAR107', message: `the config ended the process that reads it (${result.how})`, hint: null, span: top });
    case 'error':
      if (result.exit !== null) return exited(result.exit, { path, file });
      return thrown(result, { path, file });
  }
}

function exited({ code, line, column, file: at }: Exit, { path, file }: { path: string; file: string }): SarrioError {
  const message = `the config calls process.exit(${String(code)})`;
  const span =
    at === path && line !== undefined ? wordsIn(path, { file, line, column: column ?? 1, words: ['process.exit', 'exit('] }) : { file, line: 1, column: 1 };
  return invalid({ code: 'SAR107', message, hint: 'Throw an error that says what is wrong.', span });
}

type Thrown = { readonly message: string; readonly stack: string };

function thrown(error: Thrown, { path, file }: { path: string; file: string }): SarrioError {
  const message = `the config cannot be evaluated: ${(error.message.split('\n')[0] ?? '').replaceAll(path, file).trim()}`;
  return invalid({ code: 'SAR101', message, hint: null, span: thrownAt(error, { path, file }) });
}

/** A syntax error carries its place; for anything else thrown, the first line of the stack that lies in a file of the user's. */
function thrownAt(error: Thrown, options: { path: string; file: string }): Span {
  const { path, file } = options;
  const place = syntaxPlace(error) ?? userPlace(`${error.message}\n${error.stack}`);
  if (place === null) return { file, line: 1, column: 1 };
  const { line, column } = place;
  return { file: place.file === null ? file : posix.join(dirname(file), relative(dirname(path), place.file).split(sep).join('/')), line, column };
}

/** `file`: null for the config itself. */
type Place = { readonly file: string | null; readonly line: number; readonly column: number };

function syntaxPlace({ message }: Thrown): Place | null {
  const match = /\((\d+):(\d+)\)\s*$/m.exec(message);
  return match ? { file: null, line: Number(match[1]), column: Number(match[2]) + 1 } : null;
}

/** Where `sarrio` itself lies. */
const OWN = fileURLToPath(new URL('../../', import.meta.url));

function userPlace(text: string): Place | null {
  const lines = text.matchAll(/(?:^|[\s(])(?:file:\/\/)?((?:\/|[A-Za-z]:[\\/]).*?):(\d+):(\d+)\)?\s*$/gm);
  for (const [, file = '', line, column] of lines) {
    if (!file.startsWith(OWN) && !/[\\/]node_modules[\\/]/.test(file) && existsSync(file)) return { file, line: Number(line), column: Number(column) };
  }
  return null;
}

function invalid(fault: Pick<Diagnostic, 'code' | 'message' | 'hint' | 'span'>): SarrioError {
  return new SarrioError({ exit: 'invalid', diagnostics: [{ ...fault, severity: 'error', where: null }] });
}
