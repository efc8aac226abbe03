import type { Diagnostic } from '../../plan/diagnostic.ts';
import type { Hazard } from '../../plan/hazards.ts';
import type { QualifiedName } from '../../sql/quote.ts';

export type StepKind = 'create' | 'replace' | 'repair' | 'refresh' | 'remove' | 'register' | 'unregister' | 'record';

/** What a step takes: rows that it concerns (null where the table was never analyzed), and time, from measured speeds. */
export type Estimate = { readonly rows: number | null; readonly ms: number };

/** A table that `run` will copy once the change plan is applied. */
export type Copying = {
  readonly sync: string;
  readonly source: string;
  readonly target: string;
  readonly table: string;
  readonly estimate: Estimate;
  /** What stands in the target is deleted first. */
  readonly replaces: boolean;
  /** What stands in the target is compared, and only what differs is written. */
  readonly adopts: boolean;
};

/** One change to one live database. */
export type Step = {
  /** Says everything about its subject, the same in every run: `east: create table sarrio.delta_public_orders`. */
  readonly id: string;
  readonly database: string;
  readonly kind: StepKind;
  readonly object: { readonly kind: string; readonly name: string };
  /** Steps of one group that follow each other are one transaction. */
  readonly group: string;
  /** Lock on a user's table; taken before the first statement of the group where this role may take it alone. */
  readonly lock: { readonly mode: string; readonly table: QualifiedName } | null;
  readonly reason: string;
  /** May be several statements; empty where only a record has to go. */
  readonly sql: string;
  /** What `sarrio.installed` says of the object afterwards: a row with this hash, no row, or (null) what it said before. */
  readonly record: { readonly hash: string } | 'none' | null;
  /** For a repair: the fingerprint that it must bring back. */
  readonly expected: string | null;
  readonly hazards: readonly Hazard[];
  readonly estimate: Estimate;
};

/** The difference between a plan and the live databases, in the order of apply. Never written to disk. */
export type ChangePlan = {
  /** SHA-256 of what would be done and of what it was decided from; binds an approval. */
  readonly id: string;
  readonly project: string;
  readonly steps: readonly Step[];
  readonly warnings: readonly Diagnostic[];
  readonly copies: readonly Copying[];
  /** Seals as they were found, by database and delta table: what they say must still hold when apply has the locks. */
  readonly seals: ReadonlyMap<string, ReadonlyMap<string, string>>;
};

/** Of DDL that touches the catalog alone. */
const QUICK: Estimate = { rows: null, ms: 3 };

/** A step with its id. */
export function makeStep(parts: Omit<Step, 'id' | 'lock' | 'hazards' | 'record' | 'expected' | 'estimate'> & Partial<Step>): Step {
  const { database, kind, object } = parts;
  const id = `${database}: ${kind} ${object.kind} ${object.name}`;
  return { lock: null, hazards: [], record: null, expected: null, estimate: QUICK, ...parts, id };
}
