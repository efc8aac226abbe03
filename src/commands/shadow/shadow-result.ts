import { failure } from '../../plan/errors.ts';
import type { Generated } from '../../plan/generated-files.ts';
import type { SchemaLock } from '../../plan/schema-lock.ts';
import { systemClock } from '../../runner/clock.ts';
import { noFailpoint } from '../../runner/failpoint.ts';
import type { VerbContext, VerbResult } from '../verb.ts';
import { proveOnShadow } from './prove-on-shadow.ts';

/** What `--shadow URL` answers: 0 when the generated SQL installs, plans empty again and goes again; 2 when it does not. */
export async function shadowResult(url: string, from: { generated: Generated; lock: SchemaLock | null; context: VerbContext }): Promise<VerbResult> {
  const { generated, lock, context } = from;
  if (lock === null) throw failure('invalid', { code: 'SAR523', message: 'there is no schema lock, so no table is known', hint: 'Run `sarrio pull`.' });
  const surroundings = {
    clock: systemClock,
    log: () => undefined,
    failpoint: noFailpoint,
    signal: context.signal,
    ddlLockTimeoutMs: 10_000,
    ddlRetries: 3,
    random: systemClock.random,
  };
  const { serverMajor, installed, faults } = await proveOnShadow({ generated, lock, shadow: { url, env: context.env }, surroundings });
  const text = `On PostgreSQL ${serverMajor}: ${installed} steps installed; planning again finds nothing to do; removed again, nothing is left.\n`;
  const isProven = faults.length === 0;
  return { exit: isProven ? 'ok' : 'differs', data: { serverMajor, installed, proven: isProven }, diagnostics: faults, text: isProven ? text : '' };
}
