import type { Command } from 'commander';
import { systemClock } from '../runner/clock.ts';
import { parseAtLeastOne } from './duration.ts';
import { envelope } from './envelope.ts';
import type { VerbContext, VerbResult } from './verb.ts';

type Options = Readonly<Record<string, unknown>>;

/** From the top of a terminal, what stood there gone. */
const CLEAR = '\u001b[H\u001b[2J\u001b[3J';
const EVERY_SECONDS = 2;

export function addWatch(command: Command): Command {
  return command
    .option('--watch', 'show it again and again until Ctrl-C; with --json, one line of JSON each time')
    .option('--every <seconds>', 'for --watch', parseAtLeastOne, EVERY_SECONDS);
}

/** Looks again and again until the signal; the last answer is the verb's, without a text, since that has been shown. */
export async function watched(options: Options, context: VerbContext, look: () => Promise<VerbResult>): Promise<VerbResult> {
  const asJson = options['json'] === true || options['format'] === 'json';
  for (;;) {
    const result = await look();
    const text = asJson ? envelope({ command: 'status', ...result }) : shown(result, context.isTty);
    context.output.out(text);
    await systemClock.sleep(Number(options['every']) * 1_000, context.signal);
    if (context.signal.aborted) return asJson ? result : { ...result, diagnostics: [], text: '' };
  }
}

/** Warnings below, so that the table stands still. */
function shown({ text, diagnostics }: VerbResult, isTty: boolean): string {
  const warnings = diagnostics.map(({ code, message, where, hint }) => `${code}: ${where ? `${where}: ` : ''}${message}${hint ? `\n  ${hint}` : ''}`);
  return [`${isTty ? CLEAR : ''}${new Date().toISOString()}`, text, ...warnings, isTty ? '' : '\n'].join('\n');
}
