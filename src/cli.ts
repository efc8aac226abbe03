#!/usr/bin/env node
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { Command, CommanderError, Option } from 'commander';
import { addCommonOptions, addOutputOptions, lastWrites, OVERDUE, tellConnections, within } from './commands/common-options.ts';
import { redactor } from './commands/redact.ts';
import { FORMATS, type Format, formatOf, formatted, outputsOf } from './commands/report/formats.ts';
import { diagnosticsText } from './commands/report/read-frames.ts';
import type { Verb, VerbContext, VerbResult } from './commands/verb.ts';
import { VERBS, type VerbEntry } from './commands/verbs.ts';
import type { Diagnostic } from './plan/diagnostic.ts';
import { EXIT, SarrioError } from './plan/errors.ts';

const INTERRUPTED = { SIGINT: 130, SIGTERM: 143 } as const;

// The places in a stack are those of the sources then.
if (process.env['SARRIO_DEBUG']) process.setSourceMapsEnabled(true);

const redact = redactor(process.env);
const out = (text: string): void => void process.stdout.write(redact(text));
const err = (text: string): void => void process.stderr.write(redact(text));
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupt(signal));

// Whoever read the output has left (`sarrio status | head`): nothing more to do, and nothing to complain about.
process.stdout.on('error', () => process.exit(EXIT.failed));

const called = calledVerb(process.argv.slice(2));
process.exitCode = await main(process.argv.slice(2));
// A verb that did not stop in time has connections open, which would keep the process.
if (stop.signal.reason === OVERDUE) {
  await lastWrites();
  process.exit();
}

async function main(argv: readonly string[]): Promise<number> {
  const format = formatOf(argv);
  try {
    const finished: { result: VerbResult | null } = { result: null };
    const program = await buildProgram((result) => {
      finished.result = result;
    });
    await program.parseAsync([...argv], { from: 'user' });
    return finished.result && called ? report(called.name, finished.result, format) : EXIT.ok;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    if (stop.signal.aborted && stop.signal.reason !== OVERDUE && !(error instanceof SarrioError))
      return INTERRUPTED[stop.signal.reason === 'SIGINT' ? 'SIGINT' : 'SIGTERM'];
    return report(called?.name ?? 'sarrio', failedResult(error, format), format);
  }
}

/** The first word that is no option; after `help`, the word that help is wanted for. */
function calledVerb(argv: readonly string[]): VerbEntry | undefined {
  const words = argv.filter((argument) => !argument.startsWith('-'));
  return VERBS.find((entry) => entry.name === (words[0] === 'help' ? words[1] : words[0]));
}

async function buildProgram(finish: (result: VerbResult) => void): Promise<Command> {
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
    addCommonOptions(command, entry);
    verb.configure(command);
    addOutputOptions(command);
    addFormats(command);
    command.action(async (...given) => finish(await runVerb(verb, optionsOf(command, given))));
  }
  return program;
}

/** How the result is printed. A verb that has further forms of its own declares `--format` itself. */
function addFormats(command: Command): void {
  const output = new Option('--output <form=file>', 'write the result as json, sarif, github or gitlab into a file, too; may be given several times');
  command.addOption(output.argParser((value: string, before: readonly string[]) => [...before, value]).default([], 'none'));
  if (command.options.some(({ long }) => long === '--format')) return;
  command.addOption(new Option('--format <form>', 'how to print the result').choices(FORMATS).default('text'));
}

/** A run whose outcome is also to stand in files, whether it fails or not. */
async function runVerb(verb: Verb, options: Readonly<Record<string, unknown>>): Promise<VerbResult> {
  const outputs = outputsOf(options['output']);
  const command = called?.name ?? 'sarrio';
  const begun = performance.now();
  if (options['verbose'] === true) tellConnections(err);
  const work = (): Promise<VerbResult> => verb.run(options, context(options['quiet'] === true && command !== 'doctor'));
  const limit = options['timeout'];
  const result = await (typeof limit === 'number' ? within(limit, stop, work) : work()).catch((error: unknown) => {
    if (!(error instanceof SarrioError)) throw error;
    return failedResult(error, 'json');
  });
  if (options['verbose'] === true) err(`took ${((performance.now() - begun) / 1000).toFixed(1)} s\n`);
  for (const { format, file } of outputs) writeFileSync(file, redact(await formatted(format, { command, result, version: version() })));
  return result;
}

/** Options, with the arguments under their own names. */
function optionsOf(command: Command, given: readonly unknown[]): Readonly<Record<string, unknown>> {
  const named = command.registeredArguments.map((argument, index) => [argument.name(), given[index]] as const);
  return { ...command.opts(), ...Object.fromEntries(named) };
}

function context(isQuiet: boolean): VerbContext {
  const isTty = process.stdout.isTTY === true;
  const columns = process.stderr.isTTY && !isQuiet ? () => process.stderr.columns || 80 : null;
  return { cwd: process.cwd(), env: process.env, output: { out, err: isQuiet ? () => undefined : err }, isTty, columns, ask: asker(), signal: stop.signal };
}

/** Only with somebody at both ends. */
function asker(): VerbContext['ask'] {
  if (!process.stdin.isTTY || !process.stderr.isTTY || process.env['CI'] || formatOf(process.argv) !== 'text') return null;
  return async (question) => {
    const line = createInterface({ input: process.stdin, output: process.stderr });
    try {
      return await line.question(question, { signal: stop.signal });
    } finally {
      line.close();
    }
  };
}

async function report(command: string, result: VerbResult, format: Format): Promise<number> {
  if (format !== 'text') {
    out(await formatted(format, { command, result, version: version() }));
  } else {
    err(diagnosticsText(result.diagnostics, process.cwd()));
    if (result.text) out(result.text.endsWith('\n') ? result.text : `${result.text}\n`);
  }
  return EXIT[result.exit];
}

function failedResult(error: unknown, format: Format): VerbResult {
  if (error instanceof SarrioError) return { exit: error.exit, data: null, diagnostics: error.diagnostics, text: '' };
  // Commander has already told people what was wrong; the envelope still has to.
  if (error instanceof CommanderError) return { exit: 'invalid', data: null, diagnostics: usageFault(error, format), text: '' };
  if (process.env['SARRIO_DEBUG'] && error instanceof Error) err(`${error.stack ?? ''}\n`);
  return { exit: 'failed', data: null, diagnostics: [unexpected(error)], text: '' };
}

function usageFault(error: CommanderError, format: Format): Diagnostic[] {
  if (format === 'text') return [];
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
  if (stop.signal.aborted && stop.signal.reason !== OVERDUE) process.exit(INTERRUPTED[signal]);
  stop.abort(signal);
}

function version(): string {
  const manifest: { version?: string } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return manifest.version ?? '0.0.0';
}
