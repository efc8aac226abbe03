import type { Backlog, CopySettings, Guard } from './one-way-settings.ts';

/** A connection string that stands in an environment variable; only its name is ever written down. */
export type EnvReference = { readonly env: string };

/**
 * Numbers of a sync that may be others in an environment; what is not named stays as the sync says. None of them stands in generated SQL.
 * Which of them a sync has, its mode says: `maxBacklog`, `copy` and `guard` (only for a sync that has one) of a one-way sync; `maxBacklog`, `copy`,
 * `maxClockSkew` and `keepConflicts` between masters; `every` and `lockTimeout` of a full copy.
 */
export type EnvironmentNumbers = {
  readonly maxBacklog?: Backlog;
  readonly copy?: Omit<CopySettings, 'rebuildIndexes'>;
  readonly guard?: Omit<Guard, 'truncate'>;
  readonly maxClockSkew?: string;
  readonly keepConflicts?: string;
  /** An interval such as `'6h'`. */
  readonly every?: string;
  readonly lockTimeout?: string;
};

/**
 * Where the databases are and how much is asked of them, for `--env NAME`: `staging: { databases: { east: env('STAGING_EAST_URL'), … } }`.
 * Nothing is inherited but numbers: every database is named. What changes the SQL is the same everywhere, and reviewed once.
 */
export type EnvironmentConfig<Database extends string = string, Sync extends string = string> = {
  readonly databases: string extends Database ? Readonly<Record<string, EnvReference>> : { readonly [Each in Database]: EnvReference };
  readonly syncs?: string extends Sync ? Readonly<Record<string, EnvironmentNumbers>> : { readonly [Each in Sync]?: EnvironmentNumbers };
};
