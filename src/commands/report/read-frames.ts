import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Diagnostic, framedDiagnostic } from '../../plan/diagnostic.ts';
import { codeFrame } from './frame.ts';

/** Diagnostics for people: each with the lines of the file that it is about. */
export function diagnosticsText(diagnostics: readonly Diagnostic[], cwd: string): string {
  const texts = new Map<string, string | null>();
  const textOf = (file: string): string | null => {
    const known = texts.get(file);
    if (known !== undefined) return known;
    const text = readText(resolve(cwd, file));
    texts.set(file, text);
    return text;
  };
  return diagnostics
    .map((diagnostic) => {
      const text = diagnostic.span === null ? null : textOf(diagnostic.span.file);
      const frame = text === null || diagnostic.span === null ? null : codeFrame(text, diagnostic.span);
      return `${framedDiagnostic(diagnostic, frame)}\n`;
    })
    .join('');
}

/** A frame is a help, so a file that cannot be read just has none. */
function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error) return null;
    throw error;
  }
}
