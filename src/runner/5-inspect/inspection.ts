import type { Diagnostic } from '../../plan/diagnostic.ts';
import type { Plan } from '../../plan/plan.ts';
import type { LiveDatabase } from './live-database.ts';
import type { Arrival } from './plan-tables.ts';
import type { RoleFacts, TableFacts } from './read-tables.ts';
import type { MissingOnSequence } from './sequence-rights.ts';

/** All that checks and the diff may know of one database, read in one snapshot. */
export type Inspection = {
  readonly live: LiveDatabase;
  readonly role: RoleFacts;
  /** The role that rounds run as: the one that the plan names, else this one. */
  readonly runner: RoleFacts;
  /** Roles that the plan names and the server does not have. */
  readonly missingRoles: readonly string[];
  /** User's tables of the plan that stand, by display name. */
  readonly tables: ReadonlyMap<string, TableFacts>;
  /** Rights that the runner's role lacks on users' sequences. */
  readonly missingOnSequences: readonly MissingOnSequence[];
  /** Tables that wait for their initial copy, must be empty for it, and are not. */
  readonly occupied: readonly Arrival[];
  /** Row filters and computed columns that this source does not understand. */
  readonly badExpressions: readonly BadExpression[];
};

/** A table whose filter or computed columns the server refused, with its words. */
export type BadExpression = { readonly sync: string; readonly table: string; readonly error: string };

/** All databases of a plan by name. */
export type Inspections = ReadonlyMap<string, Inspection>;

/** A rule that the databases must meet before anything is changed. Pure: everything was read before. */
export type LiveCheck = {
  readonly code: string;
  /** One line for the docs. */
  readonly summary: string;
  readonly run: (subject: { plan: Plan; database: string; inspection: Inspection }) => readonly Diagnostic[];
};

/** A fault of one database, at a table where there is one. */
export function liveFault(fault: { code: string; database: string; table?: string; message: string; hint: string }): Diagnostic {
  const { code, database, table, message, hint } = fault;
  const where = table === undefined ? `database ${database}` : `database ${database}, table ${table}`;
  return { code, severity: 'error', message, hint, span: null, where };
}
