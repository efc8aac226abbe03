import { failure } from '../../plan/errors.ts';
import { envelope } from '../envelope.ts';
import type { VerbResult } from '../verb.ts';
import { githubAnnotations } from './github.ts';
import { gitlabReport } from './gitlab.ts';

/** How a verb's result can be printed besides its own text. Diagnostics are part of each, on failure too. */
export const FORMATS = ['text', 'json', 'sarif', 'github', 'gitlab'] as const;
export type Format = (typeof FORMATS)[number];

/** What `--format` (or `--json`) asks for. Looked up in the words, since a call that cannot be parsed is answered in that form, too. */
export function formatOf(argv: readonly string[]): Format {
  if (argv.includes('--json')) return 'json';
  const place = argv.findIndex((word) => word === '--format' || word.startsWith('--format='));
  const wanted = argv[place] === '--format' ? argv[place + 1] : argv[place]?.slice('--format='.length);
  return FORMATS.find((format) => place >= 0 && format === wanted) ?? 'text';
}

/** A result in one of the forms for programs. The explanations of all codes are read only for the form that has them. */
export async function formatted(format: Exclude<Format, 'text'>, options: { command: string; result: VerbResult; version: string }): Promise<string> {
  const { command, result, version } = options;
  switch (format) {
    case 'json':
      return envelope({ command, ...result });
    case 'sarif':
      return (await import('./sarif.ts')).sarifLog({ diagnostics: result.diagnostics, version });
    case 'github':
      return githubAnnotations(result.diagnostics);
    case 'gitlab':
      return gitlabReport(result.diagnostics);
  }
}

/** `--output sarif=check.sarif`, given any number of times: further forms of the same run, as files. */
export function outputsOf(given: unknown): readonly { readonly format: Exclude<Format, 'text'>; readonly file: string }[] {
  const wanted: readonly unknown[] = Array.isArray(given) ? given : [];
  return wanted.map((each) => {
    const [, name, file] = /^(\w+)=(.+)$/.exec(String(each)) ?? [];
    const format = FORMATS.find((known) => known === name);
    if (format !== undefined && format !== 'text' && file !== undefined) return { format, file };
    const hint = 'Write it as FORMAT=FILE with one of json, sarif, github, gitlab: --output sarif=check.sarif';
    throw failure('invalid', { code: 'SAR001', message: `--output ${String(each)} is not understood`, hint });
  });
}
