import { createHash } from 'node:crypto';
import type { Diagnostic } from '../../plan/diagnostic.ts';
import { placeOf } from './place-of.ts';

/** A report for the code quality widget of GitLab's merge requests. It shows what stands in a file and nothing else, so a fault of a database stands at the plan. */
export function gitlabReport(diagnostics: readonly Diagnostic[]): string {
  return `${JSON.stringify(diagnostics.map(issue), null, 2)}\n`;
}

function issue(diagnostic: Diagnostic) {
  const { code, severity, message, hint, where } = diagnostic;
  const { file, line } = placeOf(diagnostic) ?? { file: 'generated/plan.yaml', line: 1 };
  const subject = where === null || where === file ? '' : `${where}: `;
  return {
    check_name: code,
    severity: severity === 'error' ? 'major' : 'minor',
    description: `${subject}${message}${hint === null ? '' : `\n${hint}`}`,
    // Without the line: a fault that only moved is the same one, and no news in the widget.
    fingerprint: createHash('sha256')
      .update(JSON.stringify([code, file, where, message]))
      .digest('hex'),
    location: { path: file, lines: { begin: line } },
  };
}
