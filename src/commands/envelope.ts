import type { Diagnostic } from '../plan/diagnostic.ts';
import type { ExitName } from '../plan/errors.ts';

/** Major.minor of every verb's JSON output. Readers ignore fields that they do not know and refuse another major. */
const ENVELOPE_VERSION = '1.0';

/** What `--json` prints, on failure too, so that a pipe always has something to read. */
export type Envelope = {
  readonly schema: string;
  readonly command: string;
  readonly exit: ExitName;
  readonly data: unknown;
  readonly diagnostics: readonly Diagnostic[];
};

/** The one line of JSON for a finished or failed verb. */
export function envelope(result: { command: string; exit: ExitName; data: unknown; diagnostics: readonly Diagnostic[] }): string {
  const { command, exit, data, diagnostics } = result;
  const content: Envelope = { schema: `sarrio/${command}/${ENVELOPE_VERSION}`, command, exit, data: data ?? null, diagnostics };
  return `${JSON.stringify(content)}\n`;
}
