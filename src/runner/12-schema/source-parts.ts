import type { Session } from '../postgres/session.ts';
import type { Needs } from './needs.ts';
import type { WantedTable } from './wanted-table.ts';

/** What one source has of the tables, and what they need. */
export type SourceParts = {
  readonly session: Session;
  /** All tables that are wanted of it, whether the target has them or not. */
  readonly all: readonly WantedTable[];
  readonly missing: readonly WantedTable[];
  readonly needs: Needs;
};
