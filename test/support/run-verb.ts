import { Command } from 'commander';
import type { Verb, VerbContext, VerbResult } from '../../src/commands/verb.ts';
import { SarrioError } from '../../src/plan/errors.ts';

export type Outcome = VerbResult & { readonly stdout: string; readonly stderr: string };

/** A verb in this process, as the program would run it in that folder: for tests that need what it does and not the program. */
export async function runVerb(
  verb: Verb,
  args: readonly string[],
  { cwd, env, ask = null }: { cwd: string; env: Readonly<Record<string, string>>; ask?: VerbContext['ask'] },
): Promise<Outcome> {
  const command = new Command().option('--generated <dir>', '', 'generated').option('--env <name>').exitOverride();
  verb.configure(command);
  command.parse(args, { from: 'user' });
  const text = { stdout: '', stderr: '' };
  const output = { out: (line: string) => void (text.stdout += line), err: (line: string) => void (text.stderr += line) };
  const context = { cwd, env, output, isTty: false, columns: null, ask, signal: new AbortController().signal };
  try {
    const named = Object.fromEntries(command.registeredArguments.map((argument, index) => [argument.name(), command.args[index]]));
    return { ...(await verb.run({ ...command.opts(), ...named }, context)), ...text };
  } catch (error) {
    if (!(error instanceof SarrioError)) throw error;
    return { exit: error.exit, data: null, diagnostics: error.diagnostics, text: '', ...text };
  }
}
