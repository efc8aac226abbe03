import { readFile } from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import type { ReplicationConfig } from '../../index.ts';
import { SarrioError } from '../../plan/errors.ts';
import { checkConfig } from './check-config.ts';
import { evaluateConfig } from './evaluate-config.ts';
import { locate, type SpanOf } from './fault.ts';
import { type ExtractedHandlers, extractHandlers } from './handlers/extract-handlers.ts';
import { spansOf } from './span-of.ts';

/** The config as a value, where its parts stand, and the functions in it as files. */
export type LoadedConfig = { readonly config: ReplicationConfig; readonly spanOf: SpanOf; readonly handlers: ExtractedHandlers };

/** Evaluates and validates a config file. Throws all of its faults together. Needs no database and no secret. */
export async function loadConfig(options: { path: string; cwd: string }): Promise<LoadedConfig> {
  const path = resolve(options.cwd, options.path);
  const file = shownPath(path, options.cwd);
  const value = await evaluateConfig({ path, file });
  const spanOf = spansOf({ text: await readFile(path, 'utf8'), file });
  const { handlers, faults } = extractHandlers({ value, path, cwd: options.cwd });
  const diagnostics = [...locate(checkConfig(value), spanOf), ...faults];
  if (diagnostics.length > 0) throw new SarrioError({ exit: 'invalid', diagnostics });
  return { config: value as ReplicationConfig, spanOf, handlers };
}

/** Relative to where the user stands, the form that editors and CI open. */
function shownPath(path: string, cwd: string): string {
  const shown = relative(cwd, path);
  return (shown === '' || isAbsolute(shown) ? path : shown).split(sep).join('/');
}
