import { displayName, type QualifiedName } from '../../sql/quote.ts';
import type { Session } from '../postgres/session.ts';
import { LOCK_HOLDERS, LOCKABLE, lockTablesSql } from './group.sql.ts';
import type { Group } from './groups.ts';

/** Tables of the user's that a group locks, each once, ordered, so that two groups never wait for each other crosswise. */
export function lockedTables(group: Group): readonly QualifiedName[] {
  const tables = new Map(group.steps.flatMap(({ lock }) => (lock ? [[displayName(lock.table), lock.table] as const] : [])));
  return [...tables].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, table]) => table);
}

/** Takes the group's locks at once, as far as this role may. */
export async function lockTables(options: { session: Session; group: Group; timeoutMs: number }): Promise<void> {
  const { session, group, timeoutMs } = options;
  const wanted = lockedTables(group);
  if (wanted.length === 0) return;
  const { rows } = await session.query(LOCKABLE, [JSON.stringify(wanted.map(({ schema, name }, position) => ({ position, schema, name })))]);
  const tables = rows.flatMap((row) => wanted[Number(row['position'])] ?? []);
  if (tables.length === 0) return;
  const isExclusive = group.steps.some(({ lock }) => lock && /^access exclusive$/i.test(lock.mode));
  await session.query(lockTablesSql({ tables, mode: isExclusive ? 'access exclusive' : 'share row exclusive', timeoutMs }));
}

/** Who holds locks that a group waits for, in words. */
export async function lockHolders(session: Session, group: Group): Promise<readonly string[]> {
  return holdersOf(session, lockedTables(group));
}

/** Who holds locks of these tables that keep us out; of no tables, of objects of ours. */
export async function holdersOf(session: Session, tables: readonly QualifiedName[]): Promise<readonly string[]> {
  const { rows } = await session.query(LOCK_HOLDERS, [JSON.stringify(tables.map(({ schema, name }) => ({ schema, name })))]);
  return rows.map((row) => {
    if (row['pid'] === null) return 'a prepared transaction';
    return `backend ${row['pid'] ?? '?'} (${row['application_name'] || 'no application_name'}, ${row['state'] ?? '?'}, transaction of ${row['seconds'] ?? '?'} s)`;
  });
}
