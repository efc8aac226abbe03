import type { SarrioError } from '../../plan/errors.ts';
import type { StreamName } from '../events.ts';
import { refuseMissingRights } from '../5-inspect/own-rights.ts';
import { refuseUnapplied } from '../8-round/installed-plan.ts';
import { estimatedRows } from '../8-round/joins.sql.ts';
import { sampleOf } from '../8-round/comparing/buckets.ts';
import type { MastersResult } from './masters/masters-result.ts';
import { type MastersTable, pairsOf, refuseUnclearRepair } from './masters/select-masters.ts';
import { type MastersOutcome, verifyMasters } from './masters/verify-masters.ts';
import { keepProgress, type ProgressKeeper } from './progress.ts';
import { readDoubts, settleDoubts } from './settle-doubts.ts';
import { type Selected, selectTables } from './select-tables.ts';
import type { TableResult } from './table-result.ts';
import { type VerifySessions, verifySessions } from './verify-sessions.ts';
import { failedTable, verifyTable } from './verify-table.ts';
import type { VerifyOptions, Verifying } from './verifying.ts';

export type Verification = {
  /** In the order of the plan. */
  readonly results: readonly TableResult[];
  /** Of multi-master syncs, in the order of the plan. */
  readonly masters: readonly MastersResult[];
  /** Why streams or tables could not be compared. */
  readonly errors: readonly SarrioError[];
};

/**
 * Compares the chosen tables with their sources while writes go on, several at a time, and repairs them when asked to. The trouble of
 * one stream leaves the others alone.
 */
export async function verify(options: VerifyOptions): Promise<Verification> {
  const { plan, selection, clock, log } = options;
  const { oneWay: selected, masters } = selectTables(plan, selection);
  refuseUnclearRepair({ masters, hasOneWay: selected.length > 0, wantsRepair: options.wantsRepair, from: options.from });
  const verifying: Verifying = { ...options, connect: checkedConnect(options), buckets: sampleOf(options.sample, clock.random()), unreachable: new Map() };
  const estimates = await estimateRows(options, selected);
  const doubts = await readDoubts(verifying, [...selected.map(({ stream }) => stream), ...pairsOf(masters)]);
  const progress = keepProgress({ estimates, clock, log });
  try {
    const { results, errors } = await workThrough(verifying, { selected, estimates, progress });
    const between = await workThroughMasters(verifying, masters);
    await settleDoubts(verifying, doubts, (stream) => isClean(stream, { results, masters: between.results }));
    return { results, masters: between.results, errors: [...errors, ...between.errors] };
  } finally {
    progress.end();
  }
}

type Work = { readonly selected: readonly Selected[]; readonly estimates: readonly number[]; readonly progress: ProgressKeeper };

/** Whether every table of a stream was found equal, or made so; between masters a repair is on its way only. */
function isClean(stream: StreamName, { results, masters }: Pick<Verification, 'results' | 'masters'>): boolean {
  const own = results.filter((result) => JSON.stringify(result.stream) === JSON.stringify(stream));
  const between = masters.filter(({ sync }) => sync === stream.sync);
  return own.every(({ state }) => state === 'equal' || state === 'repaired') && between.every(({ state }) => state === 'equal');
}

type Worked = { readonly results: readonly TableResult[]; readonly errors: readonly SarrioError[] };

async function workThrough(verifying: Verifying, { selected, estimates, progress }: Work): Promise<Worked> {
  const results: TableResult[] = [];
  const errors: SarrioError[] = [];
  const given: { next: number } = { next: 0 };
  /** Streams that cannot be compared at all: the reason is given once. */
  const refused = new Map<string, string>();
  const work = async (sessions: VerifySessions): Promise<void> => {
    for (let index = given.next++; index < selected.length && !verifying.signal.aborted; index = given.next++) {
      const one = selected[index];
      if (one === undefined) return;
      const stream = JSON.stringify(one.stream);
      progress.started({ stream: one.stream, table: one.table.relation });
      const reason = refused.get(stream);
      const outcome = reason === undefined ? await verifyTable(verifying, one, sessions) : null;
      const result = outcome?.result ?? failedTable(one, reason ?? '');
      if (outcome?.error && !refused.has(stream)) errors.push(outcome.error);
      if (outcome?.endsStream) refused.set(stream, result.reason ?? '');
      results[index] = result;
      progress.finished(result, estimates[index] ?? 0);
    }
  };
  await Promise.all(Array.from({ length: Math.min(verifying.jobs, selected.length) }, () => withSessions(verifying, work)));
  verifying.signal.throwIfAborted();
  return { results, errors };
}

async function workThroughMasters(
  verifying: Verifying,
  tables: readonly MastersTable[],
): Promise<{
  readonly results: readonly MastersResult[];
  readonly errors: readonly SarrioError[];
}> {
  const outcomes: MastersOutcome[] = [];
  const given = { next: 0 };
  const work = async (sessions: VerifySessions): Promise<void> => {
    for (let index = given.next++; index < tables.length && !verifying.signal.aborted; index = given.next++) {
      const table = tables[index];
      if (table === undefined) return;
      const outcome = await verifyMasters(verifying, table, sessions);
      outcomes[index] = outcome;
      verifying.log({ kind: 'masters-compared', result: outcome.result, tables: outcomes.filter(Boolean).length, ofTables: tables.length });
    }
  };
  await Promise.all(Array.from({ length: Math.min(verifying.jobs, tables.length) }, () => withSessions(verifying, work)));
  verifying.signal.throwIfAborted();
  return { results: outcomes.map(({ result }) => result), errors: outcomes.flatMap(({ errors }) => errors) };
}

/** The sessions of one worker; when the verify is called off, so is what their servers are doing. */
async function withSessions({ connect, signal }: Verifying, work: (sessions: VerifySessions) => Promise<void>): Promise<void> {
  const sessions = verifySessions(connect);
  const cancelled: { done: Promise<void> } = { done: Promise.resolve() };
  const cancel = (): void => {
    cancelled.done = sessions.cancel();
  };
  signal.addEventListener('abort', cancel);
  try {
    await work(sessions);
  } finally {
    signal.removeEventListener('abort', cancel);
    await cancelled.done;
    await sessions.close();
  }
}

/** A plan that was not applied describes other tables than those that are captured. Who only compares needs a reader's rights. */
function checkedConnect({ plan, connect }: VerifyOptions): VerifyOptions['connect'] {
  return async (database, role) => {
    const session = await connect(database, role);
    try {
      if (role !== 'status') {
        await refuseUnapplied(plan, database, session);
        await refuseMissingRights(plan, session, role === 'verify' ? 'reader' : 'runner');
      }
      return session;
    } catch (error) {
      await session.close();
      throw error;
    }
  };
}

/** From the sources' statistics, for the time that is left. */
async function estimateRows({ connect }: VerifyOptions, selected: readonly Selected[]): Promise<readonly number[]> {
  const rows = new Map<string, number>();
  for (const database of new Set(selected.map(({ stream }) => stream.source))) {
    const tables = [...new Set(selected.filter(({ stream }) => stream.source === database).map(({ source }) => source))];
    for (const [table, estimate] of await estimatesOf(connect, database, tables)) rows.set(JSON.stringify([database, table]), estimate);
  }
  return selected.map(({ stream, source }) => rows.get(JSON.stringify([stream.source, source])) ?? 1);
}

/** None where the source cannot be reached or lacks a table: that shows when its tables are compared. */
async function estimatesOf(connect: VerifyOptions['connect'], database: string, tables: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const estimates = new Map<string, number>();
  const session = await connect(database, 'status').catch(() => null);
  for (const table of session === null ? [] : tables) {
    const rows = await session?.query(estimatedRows, [table]).catch(() => null);
    estimates.set(table, Math.max(1, Number(rows?.rows[0]?.['rows'] ?? 1)));
  }
  await session?.close();
  return estimates;
}
