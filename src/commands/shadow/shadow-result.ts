import { failure } from '../../plan/errors.ts';
import type { Generated } from '../../plan/generated-files.ts';
import type { SchemaLock } from '../../plan/schema-lock.ts';
import { systemClock } from '../../runner/clock.ts';
import { noFailpoint } from '../../runner/failpoint.ts';
import type { VerbContext, VerbResult } from '../verb.ts';
import { startEmbedded } from './embedded-server.ts';
import { proveOnShadow } from './prove-on-shadow.ts';

type From = { readonly generated: Generated; readonly lock: SchemaLock | null; readonly context: VerbContext };

/** What `--shadow` answers: 0 when the generated SQL installs, plans empty again and goes again; 2 when it does not. */
export async function shadowResult(given: unknown, from: From): Promise<VerbResult> {
  const { lock, context } = from;
  if (lock === null) throw failure('invalid', { code: 'SAR523', message: 'there is no schema lock, so no table is known', hint: 'Run `sarrio pull`.' });
  if (typeof given === 'string') return proven(given, { ...from, lock });
  const server = await startEmbedded(context);
  try {
    return await proven(server.url, { ...from, lock });
  } finally {
    await server.stop();
  }
}

async function proven(url: string, { generated, lock, context }: From & { readonly lock: SchemaLock }): Promise<VerbResult> {
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
  const text = `On PostgreSQL ${serverMajor}${otherMajors(lock, serverMajor)}: ${installed} steps installed; planning again finds nothing to do; removed again, nothing is left.\n`;
  const isProven = faults.length === 0;
  return { exit: isProven ? 'ok' : 'differs', data: { serverMajor, installed, proven: isProven }, diagnostics: faults, text: isProven ? text : '' };
}

/** That it was tried on another version than the one that it is for must not go unsaid. */
function otherMajors({ databases }: SchemaLock, tried: number): string {
  const others = [...new Set(Object.values(databases).map((each) => each.serverMajor))].filter((major) => major !== tried).sort();
  return others.length === 0 ? '' : ` (pulled from ${others.join(', ')})`;
}
