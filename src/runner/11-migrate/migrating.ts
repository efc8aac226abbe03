import type { Generated } from '../../plan/generated-files.ts';
import type { DatabaseSchema } from '../../plan/schema-lock.ts';
import type { Step } from '../6-diff/step.ts';
import type { ApplyContext } from '../7-apply/run-group.ts';
import type { Session } from '../postgres/session.ts';
import type { Direction } from './effects.ts';

/** A compiled project that is not written down yet: `generated` and every file of it. */
export type Compiling = (schemas: ReadonlyMap<string, DatabaseSchema>) => { readonly generated: Generated; write(): Promise<void> };

/** What `sarrio migrate` works with. */
export type Migrating = {
  readonly generated: Generated;
  /** All databases of the plan. */
  readonly sessions: ReadonlyMap<string, Session>;
  /** Where the migration runs. */
  readonly databases: readonly string[];
  /** Schemas that the config speaks of, by database. */
  readonly schemas: ReadonlyMap<string, readonly string[]>;
  /** Names the migration: a hash of its text. */
  readonly id: string;
  readonly file: string;
  readonly text: string;
  readonly declared: Direction | null;
  readonly by: string;
  /** How long writers of a table may be kept waiting while its last changes reach the targets. */
  readonly drainMs: number;
  readonly compile: Compiling;
  /** @throws SarrioError where somebody has to agree to what the steps cost, and nobody has. */
  readonly approve: (steps: readonly Step[], next: Generated) => void;
  readonly context: ApplyContext;
  readonly say: (text: string) => void;
};

export function sessionOf({ sessions }: Pick<Migrating, 'sessions'>, database: string): Session {
  const session = sessions.get(database);
  if (session === undefined) throw new Error(`no session for database ${database}`);
  return session;
}
