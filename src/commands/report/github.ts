import type { Diagnostic, Severity } from '../../plan/diagnostic.ts';
import { placeOf } from './place-of.ts';

/** GitHub shows no more than ten errors and ten warnings of one step. */
const MOST = 10;

/** Workflow commands that GitHub shows beside the lines at fault: errors first, and the last one that is shown tells of the rest. */
export function githubAnnotations(diagnostics: readonly Diagnostic[]): string {
  return (['error', 'warning'] as const).flatMap((severity) => annotations(severity, diagnostics)).join('');
}

function annotations(severity: Severity, all: readonly Diagnostic[]): readonly string[] {
  const found = all.filter((diagnostic) => diagnostic.severity === severity);
  if (found.length <= MOST) return found.map(annotation);
  const rest = found.slice(MOST - 1);
  const codes = [...new Set(rest.map(({ code }) => code))].join(', ');
  return [...found.slice(0, MOST - 1).map(annotation), `::${severity} title=sarrio::and ${rest.length} more (${codes}): see the log, or run sarrio check\n`];
}

function annotation(diagnostic: Diagnostic): string {
  const { code, severity, message, hint, where } = diagnostic;
  const span = placeOf(diagnostic);
  const place = span ? { file: span.file, line: span.line, col: span.column, ...(span.endColumn === undefined ? {} : { endColumn: span.endColumn - 1 }) } : {};
  const properties = Object.entries({ ...place, title: code }).map(([name, value]) => `${name}=${escapedProperty(String(value))}`);
  const text = `${where === null ? '' : `${where}: `}${message}${hint === null ? '' : `\n${hint}`}`;
  return `::${severity} ${properties.join(',')}::${escaped(text)}\n`;
}

function escaped(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapedProperty(text: string): string {
  return escaped(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
