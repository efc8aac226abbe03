import { MASK } from '../../../conflict/mask.ts';
import { OWN_ERROR } from '../../../conflict/unique.ts';
import type { Plan, PlanMasterTable } from '../../../plan/plan.ts';
import { displayName } from '../../../sql/quote.ts';
import type { Session } from '../../postgres/session.ts';
import { isUniqueViolation } from '../apply-staged.ts';
import { writeAlone } from '../write-alone.ts';
import { forgetParked, listParked } from './parked.sql.ts';
import { hasOtherColumns, targetKeyOf } from './undo-conflict.ts';
import { type Values, writeRow } from './write-row.ts';

/** A row that was taken out of its table at every member, because another one holds its unique value. */
export type ParkedRow = {
  readonly sync: string;
  readonly relation: string;
  readonly key: Values;
  readonly code: string;
  readonly error: string;
  readonly row: Values;
  readonly parkedAt: string;
  /** Members that keep it. */
  readonly at: readonly string[];
};

type Filter = { readonly sync: string | null; readonly relation: string | null };

/** What the members have parked, each row once; the longest parked first. */
export async function readParked(sessions: readonly Session[], { sync, relation }: Filter): Promise<readonly ParkedRow[]> {
  const found = new Map<string, ParkedRow>();
  for (const session of sessions) {
    for (const each of (await session.query(listParked, [sync, relation])).rows) {
      const id = JSON.stringify([each['sync'], each['relation'], each['key']]);
      const known = found.get(id);
      if (known !== undefined) found.set(id, { ...known, at: [...known.at, session.database] });
      else
        found.set(id, {
          sync: each['sync'] ?? '',
          relation: each['relation'] ?? '',
          key: JSON.parse(each['key'] ?? '{}') as Values,
          code: each['error_code'] ?? '',
          error: each['error'] ?? '',
          row: JSON.parse(each['row'] ?? '{}') as Values,
          parkedAt: each['parked_at'] ?? '',
          at: [session.database],
        });
    }
  }
  return [...found.values()];
}

/** As they are shown: of columns that the plan masks without the values, which the row itself keeps, and without what a server has said of them. */
export function maskedRows(plan: Plan, rows: readonly ParkedRow[]): readonly ParkedRow[] {
  return rows.map((parked) => {
    const mask = tableOf(plan, parked)?.mask ?? [];
    if (mask.length === 0) return parked;
    const hidden = (values: Values): Values => Object.fromEntries(Object.entries(values).map(([name, value]) => [name, mask.includes(name) ? MASK : value]));
    const error = parked.error.startsWith(OWN_ERROR) ? parked.error : `error ${parked.code} ${MASK}`;
    return { ...parked, row: hidden(parked.row), error };
  });
}

export type Retried = { readonly putBack: number; readonly stillParked: number };

/**
 * Puts parked rows of a sync back, as new changes at one member, where their unique values are free. A row whose key is there again is
 * somebody's newer one, so that what was parked has had its day.
 */
export async function retryParked(plan: Plan, sync: string, sessions: readonly Session[]): Promise<Retried> {
  const [first] = sessions;
  const done = { putBack: 0, stillParked: 0 };
  if (first === undefined) return done;
  for (const parked of await readParked(sessions, { sync, relation: null })) {
    const outcome = await putBack(plan, first, parked);
    if (outcome === 'in the way') done.stillParked += 1;
    else if (outcome === 'put back') done.putBack += 1;
    if (outcome !== 'in the way') await forget(sessions, parked);
  }
  return done;
}

async function putBack(plan: Plan, session: Session, parked: ParkedRow): Promise<'put back' | 'in the way' | 'is there'> {
  const table = tableOf(plan, parked);
  if (table === null || hasOtherColumns(table, parked)) return 'in the way';
  const own = { ...targetKeyOf(table, parked.key), ...parked.row };
  const what = `the parked row ${JSON.stringify(parked.key)} was not put back`;
  try {
    return (await writeRow(session, table, { key: parked.key, row: (current) => (current === null ? own : null), what })) ? 'put back' : 'is there';
  } catch (error) {
    if (isUniqueViolation(error)) return 'in the way';
    throw error;
  }
}

async function forget(sessions: readonly Session[], { sync, relation, key }: ParkedRow): Promise<void> {
  for (const session of sessions) await writeAlone(session, { text: forgetParked, values: [sync, relation, JSON.stringify(key)] });
}

function tableOf(plan: Plan, { sync, relation }: ParkedRow): PlanMasterTable | null {
  const found = plan.syncs[sync];
  return (found?.mode === 'multi-master' ? found.tables.find(({ target }) => displayName(target) === relation) : undefined) ?? null;
}
