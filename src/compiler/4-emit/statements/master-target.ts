import type { ConflictRule } from '../../../plan/conflict-rule.ts';
import type { UniqueRule } from '../../../plan/unique-rule.ts';
import type { ApplyTarget } from './apply.sql.ts';

/** A table of a multi-master sync; every member has it alike. `memberCount`, in a ring of all its databases, says whether what is received is carried on. */
export type MasterTarget = ApplyTarget & {
  readonly memberCount: number;
  readonly isRing: boolean;
  /** The members in the order of the sync. */
  readonly databases: readonly string[];
  readonly rule: ConflictRule;
  readonly unique: UniqueRule | null;
  /** Columns of which no record shows the values. */
  readonly mask: readonly string[];
  /** The sync has a handler of exceptions, of this table or of another. */
  readonly isAsked: boolean;
};
