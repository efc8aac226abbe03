import type { PlanCapture } from '../../plan/plan.ts';
import type { QualifiedName } from '../../sql/quote.ts';
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

/** The seals as the catalog has them now, as text, by delta table. One query. */
export async function readSeals(session: Session, captures: readonly Captured[]): Promise<ReadonlyMap<string, string>> {
  if (captures.length === 0) return new Map();
  const wanted = captures.map(({ table, delta }, position) => ({ position, schema: table.schema, name: table.name, delta }));
  const { rows } = await session.query(FOUND_SEALS, [JSON.stringify(wanted)], 'found_seals');
  return new Map(rows.map((row) => [captures[Number(row['position'])]?.delta ?? '', row['seal'] ?? '']));
}

/** The seals that apply left, by delta table. */
export async function readRecordedSeals(session: Session): Promise<ReadonlyMap<string, RecordedSeal>> {
  const { rows } = await session.query(RECORDED_SEALS);
  return new Map(
    rows.map((row) => [row['delta'] ?? '', { text: row['seal'] ?? '', brokenAt: row['broken_at'] ?? null, brokenReason: row['broken_reason'] ?? null }]),
  );
}

export function parseSeal(text: string): Seal {
  return JSON.parse(text) as Seal;
}
