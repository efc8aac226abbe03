#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { Command, CommanderError } from 'commander';
import { envelope } from './commands/envelope.ts';
import { redactor } from './commands/redact.ts';
import type { VerbContext, VerbResult } from './commands/verb.ts';
import { VERBS, type VerbEntry } from './commands/verbs.ts';
import { type Diagnostic, formatDiagnostic } from './plan/diagnostic.ts';
import { EXIT, SarrioError } from './plan/errors.ts';

const INTERRUPTED = { SIGINT: 130, SIGTERM: 143 } as const;

const redact = redactor(process.env);
const out = (text: string): void => void process.stdout.write(redact(text));
const err = (text: string): void => void process.stderr.write(redact(text));
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupt(signal));

// Whoever read the output has left (`sarrio status | head`): nothing more to do, and nothing to complain about.
process.stdout.on('error', () => process.exit(EXIT.failed));

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  const called = calledVerb(argv);
  const wantsJson = asksForJson(argv);
  try {
    const finished: { result: VerbResult | null } = { result: null };
    const program = await buildProgram(called, (result) => {
      finished.result = result;
    });
    await program.parseAsync([...argv], { from: 'user' });
    return finished.result && called ? report(called.name, finished.result, wantsJson) : EXIT.ok;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    if (stop.signal.aborted && !(error instanceof SarrioError)) return INTERRUPTED[stop.signal.reason === 'SIGINT' ? 'SIGINT' : 'SIGTERM'];
    return report(called?.name ?? 'sarrio', failedResult(error), wantsJson);
  }
}

/** `--json`, or `--format json` of the verbs that have several formats. */
function asksForJson(argv: readonly string[]): boolean {
  return argv.some((argument, index) => argument === '--json' || argument === '--format=json' || (argument === '--format' && argv[index + 1] === 'json'));
}

/** The first word that is no option; after `help`, the word that help is wanted for. */
function calledVerb(argv: readonly string[]): VerbEntry | undefined {
  const words = argv.filter((argument) => !argument.startsWith('-'));
  return VERBS.find((entry) => entry.name === (words[0] === 'help' ? words[1] : words[0]));
}

async function buildProgram(called: VerbEntry | undefined, finish: (result: VerbResult) => void): Promise<Command> {
  const program = new Command('sarrio')
    .description('Asynchronous replication for PostgreSQL, declared as code.')
    .version(version())
    .showHelpAfterError('Run with --help for the options.')
    .configureOutput({ writeOut: out, writeErr: err })
    .exitOverride();
  for (const entry of VERBS) {
    const command = program.command(entry.name).description(entry.summary).copyInheritedSettings(program);
    if (entry !== called) continue;
    const verb = await entry.load();
    command.option('--json', 'print one JSON object instead of text').option('--generated <dir>', 'the folder of generated files', 'generated');
    verb.configure(command);
    command.action(async (...given) => finish(await verb.run(optionsOf(command, given), context())));
  }
  return program;
}

/** Options, with the arguments under their own names. */
function optionsOf(command: Command, given: readonly unknown[]): Readonly<Record<string, unknown>> {
  const named = command.registeredArguments.map((argument, index) => [argument.name(), given[index]] as const);
  return { ...command.opts(), ...Object.fromEntries(named) };
}

function context(): VerbContext {
  return { cwd: process.cwd(), env: process.env, output: { out, err }, isTty: process.stdout.isTTY === true, ask: asker(), signal: stop.signal };
}

/** Only with somebody at both ends. */
function asker(): VerbContext['ask'] {
  if (!process.stdin.isTTY || !process.stderr.isTTY || process.env['CI'] || asksForJson(process.argv)) return null;
  return async (question) => {
    const line = createInterface({ input: process.stdin, output: process.stderr });
    try {
      return await line.question(question, { signal: stop.signal });
    } finally {
      line.close();
    }
  };
}

function report(command: string, result: VerbResult, wantsJson: boolean): number {
  if (wantsJson) {
    out(envelope({ command, ...result }));
  } else {
    for (const diagnostic of result.diagnostics) err(`${formatDiagnostic(diagnostic)}\n`);
    if (result.text) out(result.text.endsWith('\n') ? result.text : `${result.text}\n`);
  }
  return EXIT[result.exit];
}

function failedResult(error: unknown): VerbResult {
  if (error instanceof SarrioError) return { exit: error.exit, data: null, diagnostics: error.diagnostics, text: '' };
  // Commander has already told people what was wrong; the envelope still has to.
  if (error instanceof CommanderError) return { exit: 'invalid', data: null, diagnostics: usageFault(error), text: '' };
  if (process.env['SARRIO_DEBUG'] && error instanceof Error) err(`${error.stack ?? ''}\n`);
  return { exit: 'failed', data: null, diagnostics: [unexpected(error)], text: '' };
}

function usageFault(error: CommanderError): Diagnostic[] {
  if (!asksForJson(process.argv)) return [];
  const message = error.message.replace(/^error: /, '');
  return [{ code: 'SAR001', severity: 'error', message, hint: 'Run with --help for the options.', span: null, where: null }];
}

function unexpected(error: unknown): Diagnostic {
  const message = error instanceof Error ? error.message || error.name : String(error);
  const hint = 'This was not expected. Run again with SARRIO_DEBUG=1 for the stack, and report it.';
  return { code: 'SAR002', severity: 'error', message, hint, span: null, where: null };
}

/** The first signal asks the verb to stop; a second one does not wait for it. */
function interrupt(signal: 'SIGINT' | 'SIGTERM'): void {
  if (stop.signal.aborted) process.exit(INTERRUPTED[signal]);
  stop.abort(signal);
}

function version(): string {
  const manifest: { version?: string } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return manifest.version ?? '0.0.0';
}
