import { readFile, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Plan } from '../../../plan/plan.ts';
import type { QualifiedName } from '../../../sql/quote.ts';
import { plannedTables } from '../../../plan/planned-tables.ts';
import type { Clock } from '../../clock.ts';
import type { Session } from '../../postgres/session.ts';
import { HEALTH, SURROUNDINGS } from './doctor.sql.ts';

/** A table of the plan, or a partition of one. */
export type TableHealth = QualifiedName & {
  readonly persistence: string;
  readonly isParent: boolean;
  readonly live: number;
  readonly dead: number;
  readonly noVacuum: boolean;
  readonly noIdentity: boolean;
  /** Publications of its updates or deletes, and subscriptions that write to it. */
  readonly published: readonly string[];
  readonly subscribed: readonly string[];
};

export type Health = {
  readonly tables: readonly TableHealth[];
  /** Publications that our own tables are in. */
  readonly publications: readonly string[];
  /** Transactions of more than an hour. */
  readonly transactions: readonly { readonly who: string; readonly seconds: number; readonly cure: string }[];
  /** Sessions of ours that wait for a lock, or that others wait for, with whoever holds it. */
  readonly waits: readonly { readonly who: string; readonly seconds: number; readonly by: string; readonly cure: string }[];
  /** Replication slots that nobody reads, with the WAL that they keep. */
  readonly slots: readonly { readonly name: string; readonly bytes: number }[];
  /** Of the disk that the data directory is on; null where it is not to be seen from here. */
  readonly disk: { readonly free: number; readonly size: number } | null;
  /** The server's clock against this machine's running time: comparable between servers asked by one process. */
  readonly clockMs: number;
  /** Half of the way there and back: so much of `clockMs` is not known. */
  readonly clockErrorMs: number;
};

/** One query. */
export async function readHealth(plan: Plan, session: Session, clock: Clock): Promise<Health> {
  const wanted = plannedTables(plan, session.database).map(({ table: { schema, name } }) => ({ schema, name }));
  const start = clock.now();
  const row = (await session.query(HEALTH, [JSON.stringify(wanted)])).rows[0] ?? {};
  const end = clock.now();
  const list = <Item>(column: string): readonly Item[] => JSON.parse(row[column] ?? '[]') as readonly Item[];
  return {
    tables: list('tables'),
    publications: list('publications'),
    transactions: list('transactions'),
    waits: list('waits'),
    slots: list('slots'),
    disk: await diskOf(row['directory'] ?? null, session.serverMajor),
    clockMs: Number(row['now']) - (start + end) / 2,
    clockErrorMs: (end - start) / 2,
  };
}

/** Of a server on this machine whose data directory may be read; a directory of that name may also be another server's. */
async function diskOf(directory: string | null, major: number): Promise<Health['disk']> {
  if (directory === null) return null;
  try {
    if ((await readFile(join(directory, 'PG_VERSION'), 'utf8')).trim() !== String(major)) return null;
    const { bavail, blocks, bsize } = await statfs(directory);
    return { free: bavail * bsize, size: blocks * bsize };
  } catch {
    return null;
  }
}

/** What a support bundle has of a server beside the findings. */
export type Surroundings = { readonly version: string; readonly settings: unknown; readonly sessions: unknown };

/** One query. */
export async function readSurroundings(session: Session): Promise<Surroundings> {
  const row = (await session.query(SURROUNDINGS)).rows[0] ?? {};
  const json = (column: string): unknown => JSON.parse(row[column] ?? 'null');
  return { version: row['version'] ?? '', settings: json('settings'), sessions: json('sessions') };
}
