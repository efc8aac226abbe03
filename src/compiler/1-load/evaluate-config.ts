import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createJiti } from 'jiti';
import type { Diagnostic, Span } from '../../plan/diagnostic.ts';
import { SarrioError } from '../../plan/errors.ts';

/** What the config file exports by default. `path` is where it is, `file` how messages call it. */
export async function evaluateConfig(options: { path: string; file: string }): Promise<unknown> {
  const { path, file } = options;
  if (!existsSync(path)) {
    throw invalid({ code: 'SAR100', message: `there is no file ${file}`, hint: 'Run in the folder of the config, or name it with --config.', span: null });
  }
  const exported = await runModule(path, file);
  const config = typeof exported === 'object' && exported !== null && 'default' in exported ? await exported.default : undefined;
  if (config !== undefined) return config;
  const span = { file, line: 1, column: 1 };
  throw invalid({ code: 'SAR102', message: 'the file exports no config', hint: 'Write: export default defineReplication({ … })', span });
}

async function runModule(path: string, file: string): Promise<unknown> {
  // Our own index, so that a config is read by the version that compiles it. Nothing is cached: not in memory, since tests load many, nor on disk.
  const index = fileURLToPath(new URL(`../../index${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url));
  const jiti = createJiti(import.meta.url, { alias: { sarrio: index }, fsCache: false, moduleCache: false, interopDefault: false });
  try {
    return await jiti.import(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const message = `the config cannot be evaluated: ${(reason.split('\n')[0] ?? '').replaceAll(path, file).trim()}`;
    throw invalid({ code: 'SAR101', message, hint: null, span: thrownAt(error, { path, file }) }, error);
  }
}

/** A syntax error carries its place; for anything else thrown, the first line of the stack that lies in the config. */
function thrownAt(error: unknown, options: { path: string; file: string }): Span {
  const { path, file } = options;
  const place = syntaxPlace(error) ?? stackPlace(error, path);
  return { file, line: place?.line ?? 1, column: place?.column ?? 1 };
}

type Place = { readonly line: number; readonly column: number };

function syntaxPlace(error: unknown): Place | null {
  const match = error instanceof Error ? /\((\d+):(\d+)\)\s*$/m.exec(error.message) : null;
  return match ? { line: Number(match[1]), column: Number(match[2]) + 1 } : null;
}

function stackPlace(error: unknown, path: string): Place | null {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  const start = stack.indexOf(`${path}:`);
  const match = start < 0 ? null : /^:(\d+):(\d+)/.exec(stack.slice(start + path.length));
  return match ? { line: Number(match[1]), column: Number(match[2]) } : null;
}

function invalid(fault: Pick<Diagnostic, 'code' | 'message' | 'hint' | 'span'>, cause?: unknown): SarrioError {
  return new SarrioError({ exit: 'invalid', cause, diagnostics: [{ ...fault, severity: 'error', where: null }] });
}
