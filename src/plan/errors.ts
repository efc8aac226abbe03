import { type Diagnostic, formatDiagnostic, type Span } from './diagnostic.ts';

/** Exit codes of every verb; the names stand in JSON output. */
export const EXIT = { ok: 0, failed: 1, differs: 2, refused: 3, invalid: 4, busy: 5, partial: 6 } as const;

export type ExitName = keyof typeof EXIT;

/** An expected failure: carries what the user needs and the verb's exit. Everything else that is thrown is a bug of ours. */
export class SarrioError extends Error {
  override readonly name: string = 'SarrioError';
  readonly exit: ExitName;
  readonly diagnostics: readonly Diagnostic[];

  constructor(options: { exit: ExitName; diagnostics: readonly Diagnostic[]; cause?: unknown }) {
    super(options.diagnostics.map(formatDiagnostic).join('\n'), { cause: options.cause });
    this.exit = options.exit;
    this.diagnostics = options.diagnostics;
  }
}

type Fault = { code: string; message: string; hint?: string; where?: string; span?: Span | null; cause?: unknown };

/** A `SarrioError` of one fault. */
export function failure(exit: ExitName, fault: Fault): SarrioError {
  const { code, message, hint = null, where = null, span = null, cause } = fault;
  return new SarrioError({ exit, cause, diagnostics: [{ code, severity: 'error', message, hint, where, span }] });
}
