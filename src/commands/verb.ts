import type { Command } from 'commander';
import type { Diagnostic } from '../plan/diagnostic.ts';
import type { ExitName } from '../plan/errors.ts';
import type { Output } from '../plan/output.ts';

/** Everything that a verb may know of the process. Only `cli.ts` reads the process itself. */
export type VerbContext = {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly output: Output;
  /** Standard output is a terminal. */
  readonly isTty: boolean;
  /** Columns of standard error where that is a terminal; null where it is not. They may change. */
  readonly columns: (() => number) | null;
  /** Asks whoever sits there; null where nobody does (no terminal, CI, JSON). */
  readonly ask: ((question: string) => Promise<string>) | null;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
};

/** What a verb hands back; `cli.ts` turns it into the exit code and, with `--json`, into the envelope. */
export type VerbResult = {
  readonly exit: ExitName;
  /** The `data` of the JSON envelope. */
  readonly data: unknown;
  readonly diagnostics: readonly Diagnostic[];
  /** The payload for people, written to standard output when `--json` is not given. */
  readonly text: string;
};

/** One command of the program, in a file of its own: `commands/<name>.ts` exports `verb`. */
export type Verb = {
  /** Adds arguments and options. `--json` and `--generated` are common to all and added by `cli.ts`. */
  readonly configure: (command: Command) => void;
  /** Does the work. Expected faults are thrown as `SarrioError`. */
  readonly run: (options: Readonly<Record<string, unknown>>, context: VerbContext) => Promise<VerbResult>;
};
