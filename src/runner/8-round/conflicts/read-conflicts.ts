import { UNIQUE_KIND } from '../../../conflict/unique.ts';
import { failure } from '../../../plan/errors.ts';
import type { Session } from '../../postgres/session.ts';
import { findConflict, listConflicts } from './conflicts.sql.ts';
import type { Row } from '../../postgres/statement.ts';

/** A conflict as it was decided. */
export type DecidedConflict = {
  readonly id: string;
  readonly sync: string;
  readonly relation: string;
  /** Key columns, values as the server wrote them. */
  readonly key: Readonly<Record<string, string>>;
  readonly kind: string;
  readonly strategy: string;
  readonly decision: string;
  readonly versions: readonly DecidedVersion[];
  readonly decidedAt: string;
  /** Databases whose record holds it: those whose commit of the round was not lost. */
  readonly recordedAt: readonly string[];
};

export type DecidedVersion = {
  readonly database: string;
  /** Microseconds since 1970. */
  readonly at: string;
  readonly op: string;
  /** Null when the row was deleted. */
  readonly row: Readonly<Record<string, string | null>> | null;
  /** Columns whose values were not recorded. */
  readonly masked?: readonly string[];
};

export type ConflictFilter = { readonly sync: string | null; readonly relation: string | null; readonly since: string | null; readonly limit: number };

/** The conflicts of all databases, each once, the newest first. */
export async function readConflicts(sessions: readonly Session[], filter: ConflictFilter): Promise<readonly DecidedConflict[]> {
  const values = [filter.sync, filter.relation, filter.since, String(filter.limit)];
  const found = await Promise.all(
    sessions.map(async (session) => (await session.query(listConflicts, values)).rows.map((row) => ofRow(row, session.database))),
  );
  return eachOnce(found.flat()).slice(0, filter.limit);
}

/** @throws SarrioError when no conflict, or more than one, begins with this id. */
export async function conflictById(sessions: readonly Session[], id: string): Promise<DecidedConflict> {
  const found = await Promise.all(sessions.map(async (session) => (await session.query(findConflict, [id])).rows.map((row) => ofRow(row, session.database))));
  const [conflict, another] = eachOnce(found.flat());
  if (conflict === undefined) throw failure('invalid', { code: 'SAR630', message: `no conflict has the id ${id}`, hint: 'Run: sarrio conflicts list' });
  if (another !== undefined) throw failure('invalid', { code: 'SAR630', message: `several conflicts have an id that begins with ${id}` });
  return conflict;
}

/** What can stand under the conflict's key. Of rows that wanted one unique value only the first is the conflict's own; the others have keys of theirs. */
export function versionsOfKey({ kind, versions }: DecidedConflict): readonly DecidedVersion[] {
  return kind.startsWith(UNIQUE_KIND) ? versions.slice(0, 1) : versions;
}

function eachOnce(all: readonly DecidedConflict[]): readonly DecidedConflict[] {
  const byId = new Map<string, DecidedConflict>();
  for (const conflict of all) {
    const known = byId.get(conflict.id);
    byId.set(conflict.id, known ? { ...known, recordedAt: [...known.recordedAt, ...conflict.recordedAt] } : conflict);
  }
  return [...byId.values()].sort((a, b) => (a.decidedAt === b.decidedAt ? (a.id < b.id ? -1 : 1) : a.decidedAt < b.decidedAt ? 1 : -1));
}

function ofRow(row: Row, database: string): DecidedConflict {
  return {
    id: row['id'] ?? '',
    sync: row['sync'] ?? '',
    relation: row['relation'] ?? '',
    key: JSON.parse(row['key'] ?? '{}') as DecidedConflict['key'],
    kind: row['kind'] ?? '',
    strategy: row['strategy'] ?? '',
    decision: row['decision'] ?? '',
    versions: JSON.parse(row['versions'] ?? '[]') as DecidedConflict['versions'],
    decidedAt: row['decided_at'] ?? '',
    recordedAt: [database],
  };
}
