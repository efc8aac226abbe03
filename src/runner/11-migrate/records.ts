import { failure } from '../../plan/errors.ts';
import { planHash } from '../../plan/plan-hash.ts';
import { restingTables } from '../8-round/changed-tables/table-watch.ts';
import { textArray } from '../postgres/text-array.ts';
import type { Direction } from './effects.ts';
import { hasRecords, readRecords, writeRecord } from './migrate.sql.ts';
import { type Migrating, sessionOf } from './migrating.ts';

/** What a database remembers of a migration. `tables` rest in it until the migration is through everywhere. */
export type Record = { readonly direction: Direction; readonly tables: readonly string[]; readonly isDone: boolean; readonly isEnded: boolean };

/** The migration's records by database. @throws SarrioError while another migration is half way in one of them. */
export async function recordsOf(migrating: Migrating): Promise<ReadonlyMap<string, Record>> {
  const { databases, id, generated } = migrating;
  const records = new Map<string, Record>();
  for (const database of databases) {
    const session = sessionOf(migrating, database);
    if ((await session.query(hasRecords)).rows[0]?.['exists'] !== 't') continue;
    for (const row of (await session.query(readRecords, [generated.plan.project])).rows) {
      const isEnded = row['is_ended'] === 't';
      if (row['migration'] !== id && !isEnded) throw halfWay(database, row['file'] ?? '', row['begun_by'] ?? '', row['begun_at'] ?? '');
      if (row['migration'] !== id) continue;
      const direction = row['direction'] === 'contract' ? 'contract' : 'expand';
      records.set(database, { direction, tables: restingTables(row['tables'] ?? '{}'), isDone: row['is_done'] === 't', isEnded });
    }
  }
  return records;
}

/** By database: the tables that rest there, and those whose captures may be other ones for as long as the migration is half way. */
export type Begun = {
  readonly direction: Direction;
  readonly resting: ReadonlyMap<string, readonly string[]>;
  readonly touched: ReadonlyMap<string, ReadonlySet<string>>;
};

/** Before anything is changed: in every database, so that a command which comes later knows what was begun. */
export async function beginRecords(migrating: Migrating, begun: Begun): Promise<void> {
  const { id, file, text, by, generated, databases, context } = migrating;
  const { plan } = generated;
  for (const database of databases) {
    const [tables, touched] = [begun.resting, begun.touched].map((lists) => textArray([...(lists.get(database) ?? [])]));
    const values = [id, plan.project, file, text, begun.direction, tables ?? '{}', by, planHash(plan), touched ?? '{}'];
    await sessionOf(migrating, database).query(writeRecord, values);
    await context.failpoint(`migrate.${database}.begun`);
  }
}

function halfWay(database: string, file: string, by: string, at: string): Error {
  return failure('refused', {
    code: 'SAR821',
    where: `database ${database}`,
    message: `another migration is half way: ${file}, begun by ${by} at ${at}`,
    hint: `Finish it first: sarrio migrate ${file}; or take it back: sarrio migrate ${file} --undo`,
  });
}
