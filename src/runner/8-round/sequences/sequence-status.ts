import type { Plan } from '../../../plan/plan.ts';
import { displayName } from '../../../sql/quote.ts';
import type { Session } from '../../postgres/session.ts';
import { lookedAt } from './looked-at.ts';
import { readCarried, readSequenceStates } from './sequences.sql.ts';

/** A sequence whose end is watched, as the runner last saw it. */
export type WatchedStatus = {
  readonly database: string;
  readonly sequence: string;
  /** Null while no runner has looked. */
  readonly last: string | null;
  readonly end: string | null;
  readonly percent: number | null;
  /** Since when 90 % of its values are given; null below that. */
  readonly alarmedAt: string | null;
  readonly lookedAt: string | null;
};

/** A sequence of a target that follows one of its source, as the runner last left it. */
export type CarriedStatus = {
  readonly sync: string;
  readonly source: string;
  readonly target: string;
  readonly from: string;
  readonly to: string;
  /** Null while no runner has carried it. */
  readonly sourceValue: string | null;
  readonly value: string | null;
  readonly carriedAt: string | null;
  /** Why it is not carried; null when it is. */
  readonly error: string | null;
};

export type SequenceStatus = { readonly watched: readonly WatchedStatus[]; readonly carried: readonly CarriedStatus[] };

type Open = (database: string) => Promise<Session>;

/** What runners have written down. A database that cannot be asked leaves its part unknown: the streams say why. */
export async function readSequenceStatus(plan: Plan, open: Open): Promise<SequenceStatus> {
  const watched = await Promise.all(Object.keys(plan.databases).map((database) => watchedIn(plan, database, open)));
  const carried = await Promise.all(Object.keys(plan.databases).map((database) => carriedInto(plan, database, open)));
  return { watched: watched.flat(), carried: carried.flat() };
}

async function watchedIn(plan: Plan, database: string, open: Open): Promise<readonly WatchedStatus[]> {
  const { watched = [] } = plan.databases[database] ?? {};
  if (watched.length === 0) return [];
  const rows = await lookedAt(open, database, readSequenceStates);
  return watched.map(({ sequence }): WatchedStatus => {
    const row = rows.find((each) => each['sequence'] === displayName(sequence));
    return {
      database,
      sequence: displayName(sequence),
      last: row?.['last_value'] ?? null,
      end: row?.['ends_at'] ?? null,
      percent: row ? Number(row['percent']) : null,
      alarmedAt: row?.['alarmed_at'] ?? null,
      lookedAt: row?.['looked_at'] ?? null,
    };
  });
}

async function carriedInto(plan: Plan, target: string, open: Open): Promise<readonly CarriedStatus[]> {
  const planned = Object.entries(plan.syncs).flatMap(([sync, each]) => {
    if (each.mode !== 'one-way' || each.sequences === undefined || each.sequences === 'ignore') return [];
    return each.sequences.carried.filter((one) => one.target === target).map((one) => ({ sync, source: each.source, one }));
  });
  if (planned.length === 0) return [];
  const rows = await lookedAt(open, target, readCarried);
  return planned.map(({ sync, source, one }): CarriedStatus => {
    const [from, to] = [displayName(one.from), displayName(one.to)];
    const row = rows.find((each) => each['sync'] === sync && each['source'] === source && each['origin'] === from && each['sequence'] === to);
    return {
      ...{ sync, source, target, from, to },
      sourceValue: row?.['source_value'] ?? null,
      value: row?.['value'] ?? null,
      carriedAt: row?.['carried_at'] ?? null,
      error: row?.['error'] ?? null,
    };
  });
}
