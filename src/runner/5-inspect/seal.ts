import type { PlanCapture } from '../../plan/plan.ts';
import type { QualifiedName } from '../../sql/quote.ts';
import { askAgain, type Question } from '../postgres/question.ts';
import type { Session } from '../postgres/session.ts';
import { FOUND_SEALS, RECORDED_SEALS } from './seal.sql.ts';

/** What the catalog says of one table's capture. Two that are equal mean that nothing went by uncaptured between them. */
export type Seal = {
  readonly delta: string | null;
  /** oid; null when no table has the name. */
  readonly table: string | null;
  /** The table and all its partitions. */
  readonly relations: readonly SealedRelation[];
};

export type SealedRelation = QualifiedName & {
  readonly oid: string;
  /** Version of the catalog row that makes it a partition; null for the table itself. */
  readonly joined: string | null;
  readonly persistence: string;
  /** The table itself has ancestors, or descendants that are no partitions. */
  readonly hierarchy: boolean;
  /** Name, firing state, version of the trigger, version of its function. */
  readonly triggers: readonly (readonly [name: string, state: string, version: string, calls: string])[];
};

/** A seal as apply left it, with what a runner has noticed since. */
export type RecordedSeal = { readonly text: string; readonly brokenAt: string | null; readonly brokenReason: string | null };

type Captured = Pick<PlanCapture, 'table' | 'delta'>;

/** The seals as the catalog has them now, as text, by delta table. */
export function foundSeals(captures: readonly Captured[]): Question<ReadonlyMap<string, string>> {
  const wanted = captures.map(({ table, delta }, position) => ({ position, schema: table.schema, name: table.name, delta }));
  return {
    statement: captures.length === 0 ? null : { text: FOUND_SEALS, values: [JSON.stringify(wanted)], name: 'found_seals' },
    read: (rows) => new Map(rows.map((row) => [captures[Number(row['position'])]?.delta ?? '', row['seal'] ?? ''])),
  };
}

/** One query. */
export async function readSeals(session: Session, captures: readonly Captured[]): Promise<ReadonlyMap<string, string>> {
  return askAgain(session, foundSeals(captures));
}

/** The seals that apply left, by delta table; none where there is no table of them. */
export function recordedSeals(isThere: boolean): Question<ReadonlyMap<string, RecordedSeal>> {
  return {
    statement: isThere ? { text: RECORDED_SEALS } : null,
    read: (rows) =>
      new Map(
        rows.map((row) => [row['delta'] ?? '', { text: row['seal'] ?? '', brokenAt: row['broken_at'] ?? null, brokenReason: row['broken_reason'] ?? null }]),
      ),
  };
}

/** One query. */
export async function readRecordedSeals(session: Session): Promise<ReadonlyMap<string, RecordedSeal>> {
  return askAgain(session, recordedSeals(true));
}

export function parseSeal(text: string): Seal {
  return JSON.parse(text) as Seal;
}
