/** Place in the user's config, 1-based. `endColumn` is the column after the last one, where the text at fault ends in the same line. */
export type Span = { readonly file: string; readonly line: number; readonly column: number; readonly endColumn?: number };

export type Severity = 'error' | 'warning';

/** An expected fault, found before anything is changed. All of one run are reported together. */
export type Diagnostic = {
  /** Stable: `SAR1xx` config, `SAR2xx` names and schema, `SAR3xx` generated files, `SAR4xx` databases, `SAR5xx` apply, `SAR6xx` run, `SAR7xx` verify, `SAR8xx` cut-over. */
  readonly code: string;
  readonly severity: Severity;
  /** What is wrong, with the names and values. */
  readonly message: string;
  /** What to do, if it can be said. */
  readonly hint: string | null;
  /** In the config, or null for a fault that only a database shows. */
  readonly span: Span | null;
  /** Where it is when it is not in the config: `database east, table public.orders`. */
  readonly where: string | null;
};

/** `file(line,col): error SAR101: message`, the form of tsc that editors and CI matchers know, then the hint. */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  return framedDiagnostic(diagnostic, null);
}

/** The same with the lines at fault between message and hint. */
export function framedDiagnostic(diagnostic: Diagnostic, frame: string | null): string {
  const { span, where, severity, code, message, hint } = diagnostic;
  const place = span ? `${span.file}(${span.line},${span.column}): ` : '';
  const subject = where ? `${where}: ` : '';
  const head = `${place}${severity} ${code}: ${subject}${message}`;
  const text = frame === null ? head : `${head}\n${frame}`;
  return hint ? `${text}\n  ${hint.replaceAll('\n', '\n  ')}` : text;
}
