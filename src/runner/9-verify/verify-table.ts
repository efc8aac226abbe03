import { failure, SarrioError } from '../../plan/errors.ts';
import { flowsOf } from '../../plan/flows.ts';
import { failureText } from '../postgres/error-text.ts';
import { rightsHint } from './rights-hint.ts';
import type { Session } from '../postgres/session.ts';
import { openSource, type Source } from '../8-round/source.ts';
import { type Compared, compareTable } from './compare-table.ts';
import { type Repaired, repairTable } from './repair-table.ts';
import type { Selected } from './select-tables.ts';
import { differing, NO_DIFFERENCES, type TableResult } from './table-result.ts';
import { repairSession } from './verify.sql.ts';
import type { VerifySessions } from './verify-sessions.ts';
import type { Verifying } from './verifying.ts';

/** `endsStream`: no other table of the stream can be compared either. */
export type Outcome = { readonly result: TableResult; readonly error: SarrioError | null; readonly endsStream: boolean };

/** Compares one table and, when asked to, repairs it. Never throws: an error is part of the outcome. */
export async function verifyTable(verifying: Verifying, one: Selected, sessions: VerifySessions): Promise<Outcome> {
  const { clock } = verifying;
  const began = clock.now();
  try {
    const result = await compareAndRepair(verifying, one, sessions);
    return { result: { ...result, ms: clock.now() - began }, error: null, endsStream: false };
  } catch (error) {
    const isNamed = error instanceof SarrioError;
    const result = { ...failedTable(one, failureText(error)), ms: clock.now() - began };
    return { result, error: isNamed ? error : failedComparison(one, error), endsStream: isNamed && error.exit !== 'busy' };
  }
}

/** A table of a stream that could not be compared. */
export function failedTable({ stream, source, table }: Selected, reason: string): TableResult {
  return { stream, source, target: table.relation, state: 'failed', reason, rows: null, differences: NO_DIFFERENCES, repair: null, ms: 0 };
}

async function compareAndRepair(verifying: Verifying, one: Selected, sessions: VerifySessions): Promise<TableResult> {
  const { stream, table, delta } = one;
  const { limit, clock, signal, buckets, repair, failpoint } = verifying;
  const source = await sessions.get(stream.source, 'verify', 'hold');
  const reader = await sessions.get(stream.source, 'verify', 'read');
  const target = await sessions.get(stream.target, repair ? 'target' : 'verify', 'compare');
  if (repair) await target.query(repairSession);
  try {
    const compared = await compareTable({ stream, table, delta, source, reader, target, buckets, limit, clock, failpoint, signal });
    const result = resultOf(one, compared);
    if (!repair || result.state !== 'differs') return result;
    verifying.log({ kind: 'repairing', result });
    return repairedResult(result, await repairOne(verifying, one, { origin: source, target }));
  } finally {
    if (target.isOpen()) await target.query(table.verify.dropStage).catch(() => target.destroy());
  }
}

async function repairOne(verifying: Verifying, one: Selected, ends: { origin: Session; target: Session }): Promise<Repaired> {
  const { stream, table, delta } = one;
  const source = await openSourceOf(verifying, one);
  try {
    return await repairTable({ stream, table, delta, source, ...ends, failpoint: verifying.failpoint });
  } finally {
    await source.close();
  }
}

async function openSourceOf({ plan, connect, clock, failpoint }: Verifying, { stream }: Selected): Promise<Source> {
  const planned = plan.syncs[stream.sync];
  const sync = planned && flowsOf(planned).find(({ source }) => source === stream.source);
  if (sync === undefined) throw new Error(`sync ${stream.sync} of the plan reads nothing from ${stream.source}`);
  return openSource({ name: stream.source, sync, connect: () => connect(stream.source, 'source'), clock, failpoint });
}

function resultOf({ stream, source, table }: Selected, compared: Compared): TableResult {
  const common = { stream, source, target: table.relation, repair: null, ms: 0 };
  if (compared.kind === 'not-compared') return { ...common, state: 'not-compared', reason: compared.reason, rows: null, differences: NO_DIFFERENCES };
  const { rows, differences } = compared;
  return { ...common, state: differing(differences) > 0 ? 'differs' : 'equal', reason: null, rows, differences };
}

function repairedResult(result: TableResult, repaired: Repaired): TableResult {
  if (repaired.kind === 'left') return { ...result, reason: `not repaired: ${repaired.reason}` };
  return { ...result, state: 'repaired', repair: { written: repaired.written, leftToRound: repaired.leftToRound } };
}

function failedComparison({ stream, table }: Selected, cause: unknown): SarrioError {
  const where = `sync ${stream.sync}, ${stream.source} -> ${stream.target}, table ${table.relation}`;
  return failure('failed', { code: 'SAR700', where, message: `the comparison failed: ${failureText(cause)}`, ...rightsHint(cause), cause });
}
