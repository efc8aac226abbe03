import { createHash } from 'node:crypto';
import { byCodeUnit } from './canonical.ts';
import type { HandlerRule } from './conflict-rule.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { Plan } from './plan.ts';

/** Every handler that a plan names, each file once, ordered by file. */
export function handlerRules(plan: Plan): readonly HandlerRule[] {
  const tables = Object.values(plan.syncs).flatMap((sync) => (sync.mode === 'multi-master' ? sync.tables : []));
  const rules = tables.flatMap(({ rule, unique, exception }) => [rule, unique, exception].flatMap((each) => (each?.strategy === 'handler' ? [each] : [])));
  return [...new Map(rules.map((rule) => [rule.file, rule])).values()].sort((left, right) => byCodeUnit(left.file, right.file));
}

/** Every way in which the handlers' files are not those of the plan. `shown` is the folder's name for messages. */
export function handlerFaults(options: { rules: readonly HandlerRule[]; files: ReadonlyMap<string, string>; shown: string }): Diagnostic[] {
  const { rules, files, shown } = options;
  return rules.flatMap(({ file, fileHash }) => {
    const text = files.get(file);
    if (text !== undefined && handlerFileHash(text) === fileHash) return [];
    const message = text === undefined ? 'the plan names this file, but it is not there' : 'the handler was changed after it was compiled';
    const hint = 'Run `sarrio compile` again, and never edit the file: change the config instead.';
    return [{ code: 'SAR307', severity: 'error', message, hint, span: null, where: `${shown}/${file}` }];
  });
}

/** SHA-256 (hex) of a handler's file as it is compiled, with LF line ends, so that a CRLF checkout is the same file. */
export function handlerFileHash(text: string): string {
  return createHash('sha256').update(text.replaceAll('\r\n', '\n')).digest('hex');
}
