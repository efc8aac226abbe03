import { failure } from '../../plan/errors.ts';
import { differing, type TableResult } from '../9-verify/table-result.ts';
import { verify } from '../9-verify/verify.ts';
import type { CuttingOver } from './cutover-options.ts';
import { onlyStream } from './one-stream.ts';

const JOBS = 2;
const KEYS = 3;

/** Every row of every table, while both sides stand still. The number of rows that were compared. */
export async function compareAll(cutting: CuttingOver): Promise<number> {
  const { connect, clock, failpoint, signal, log } = cutting;
  const { results, errors } = await verify({
    plan: onlyStream(cutting),
    connect,
    selection: { syncs: [], targets: [], tables: [] },
    sample: 100,
    jobs: JOBS,
    limit: KEYS,
    repair: false,
    wantsRepair: false,
    from: null,
    clock,
    log: (event) => {
      if (event.kind === 'compared') log({ kind: 'waiting', text: `compared ${event.result.target} (${event.progress.tables}/${event.progress.ofTables})` });
    },
    failpoint,
    signal,
  });
  const [error] = errors;
  if (error !== undefined) throw error;
  const unequal = results.filter(({ state }) => state !== 'equal');
  if (unequal.length > 0) throw notEqual(cutting, unequal);
  return results.reduce((sum, { rows }) => sum + (rows?.source ?? 0), 0);
}

function notEqual({ sync, planned, target }: CuttingOver, unequal: readonly TableResult[]): Error {
  return failure('refused', {
    code: 'SAR807',
    where: `sync ${sync}, ${planned.source} -> ${target}`,
    message: `${target} is not equal to ${planned.source}: ${unequal.map(tableText).join('; ')}`,
    hint: `See what differs: sarrio verify --sync ${sync} --target ${target}. To make it equal: sarrio verify --sync ${sync} --target ${target} --repair --yes`,
  });
}

function tableText({ target, state, reason, differences }: TableResult): string {
  if (state !== 'differs') return `${target} could not be compared (${reason})`;
  const keys = differences.keys.map(({ key }) =>
    Object.entries(key)
      .map(([column, value]) => `${column}=${value}`)
      .join(' '),
  );
  return `${target} differs in ${differing(differences)} rows (${differences.missing} missing, ${differences.extra} extra, ${differences.different} different${keys.length > 0 ? `; among them ${keys.join(', ')}` : ''})`;
}
