import { ident } from '../../../sql/quote.ts';
import { dangerousRaw, join, type Sql, sql } from '../../../sql/sql.ts';
import type { ColumnSchema } from '../../../plan/schema-lock.ts';

/** A key column with its type and collation, as the captured table has it. */
export type DeltaColumn = Pick<ColumnSchema, 'name' | 'type' | 'collation'>;

/**
 * Purpose: the delta table of one captured table: the key of every change, in three segments that are written in turn and emptied
 * by TRUNCATE. Reads, writes: only objects of ours. Called by: `emitCapture`.
 *
 * Key columns are nullable because a TRUNCATE is one entry without a key. There is no primary key on purpose (no unique checks on
 * the application's path); REPLICA IDENTITY FULL keeps a publication FOR ALL TABLES from refusing updates here.
 *
 * `change_bulk` is null, except in a statement of more than ten thousand rows: its entries beyond that have 0 and are not in the
 * index, which would cost half of the capture, and one more entry, op `B` and without a key, holds their number.
 *
 * `change_origin` and `change_origin_xid` are null, except in what a round between three masters or more writes: they name the change
 * that the row came with (number of a history, transaction there). Every delta table has them, so that a table whose sync becomes one
 * between masters, or gets a third member, keeps its delta table and with it what is captured; null they take no room.
 *
 * A delta table of an earlier version keeps its changes and gets the columns that it lacks: null there, they mean what they meant before.
 *
 * `recordedColumns` adds, for an UPDATE, the names of the changed columns and by how much counters changed; and, for what a round between
 * three masters or more has written, the changes of others that it carries, by sync: `{"shop": [[[member, transaction, columns, amounts], …], …]}`.
 */
export function deltaTable(name: string, key: readonly DeltaColumn[]): Sql {
  const table = ident('sarrio', name);
  const columns = key.map(({ name: column, type, collation }) =>
    dangerousRaw(`${ident(column).text} ${type}${collation === null ? '' : ` collate ${collation}`},`),
  );
  return sql`
    create table if not exists ${table} (
      ${join(columns, '\n')}
      change_xid xid8 not null,
      change_at timestamptz not null,
      change_op "char" not null,
      change_segment smallint not null,
      change_sync text,
      change_bulk bigint,
      change_origin bigint,
      change_origin_xid xid8
    ) partition by list (change_segment);
    alter table ${table}
      add column if not exists change_bulk bigint,
      add column if not exists change_origin bigint,
      add column if not exists change_origin_xid xid8;
    alter table ${table} replica identity full;
    revoke all on table ${table} from public;
  `;
}

/** What is recorded beside the key, where a rule for conflicts asks for it. Added, since the delta table may be there already and hold changes. */
export function recordedColumns(name: string): Sql {
  return sql`
    alter table ${ident('sarrio', name)}
      add column if not exists change_columns text[],
      add column if not exists change_amounts jsonb,
      add column if not exists change_carried jsonb;
  `;
}

/** The row that stood there before a change, where a handler asks for the last common row: `recordedColumns` says why it is added. */
export function beforeColumn(name: string): Sql {
  return sql`
    alter table ${ident('sarrio', name)}
      add column if not exists change_before text;
  `;
}

export function deltaSegment(names: { segment: string; delta: string }, number: number): Sql {
  const segment = ident('sarrio', names.segment);
  return sql`
    create table if not exists ${segment}
      partition of ${ident('sarrio', names.delta)} for values in (${dangerousRaw(String(number))});
    alter table ${segment} replica identity full;
    revoke all on table ${segment} from public;
  `;
}

export function deltaIndex(names: { index: string; segment: string }): Sql {
  return sql`create index if not exists ${ident(names.index)} on ${ident('sarrio', names.segment)} (change_xid) where change_bulk is distinct from 0;`;
}

/** Its value is the number of the segment that triggers write to; not yet called means 1. */
export function currentSequence(name: string): Sql {
  const sequence = ident('sarrio', name);
  return sql`
    create sequence if not exists ${sequence} as bigint minvalue 1 maxvalue 3 start with 1 no cycle;
    revoke all on sequence ${sequence} from public;
  `;
}

/** A flag that no snapshot hides: 1 when all segments are empty, so that rounds need not look into them. Anything else means that they may hold changes; 2, that `sarrio.fillings` has changed since. */
export function filledSequence(name: string): Sql {
  const sequence = ident('sarrio', name);
  return sql`
    create sequence if not exists ${sequence} as bigint minvalue 1 maxvalue 2 start with 1 no cycle;
    revoke all on sequence ${sequence} from public;
  `;
}
