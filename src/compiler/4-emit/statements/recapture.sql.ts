import { ident, literal, type QualifiedName, tableIdent } from '../../../sql/quote.ts';
import { dangerousRaw, join, type Sql, sql } from '../../../sql/sql.ts';
import type { ModelTable } from '../../2-model/model.ts';
import { objectNames } from '../../2-model/object-names.ts';
import { noKey } from '../objects/capture.sql.ts';
import { currentRows } from './pending.sql.ts';
import { isOwnType } from './user-types.ts';

/**
 * Purpose: entries for changes that no trigger saw, written by apply in the transaction that puts the triggers right.
 * Reads: the table or a partition. Writes: the table's delta table. Called by: `emit`.
 *
 * One entry that refreshes the whole table at every target: nobody knows which rows were changed. Members of a multi-master sync do not
 * take it, nor do targets that keep truncated rows, so for them each key that is there is an entry as well.
 */
export function refreshEntry(table: ModelTable): Sql {
  const { delta } = objectNames(table.source);
  const nulls = noKey(delta, ownTypes(table));
  return sql`
    insert into ${ident('sarrio', delta)} (${nulls.columns}change_xid, change_at, change_op, change_segment)
    values (${nulls.values}pg_current_xact_id(), clock_timestamp(), 'T', ${segment(table)});
    ${table.takesTruncate ? markFilled(table) : join([keyEntries(table, currentRows(table)), markFilled(table)], '\n')}
  `;
}

/** The rows that a partition brought when it was attached; `U`, because some of them may have been captured through the parent since. */
export function recordPartition(table: ModelTable, partition: QualifiedName): Sql {
  return sql`
    ${keyEntries(table, sql`only ${tableIdent(partition)}`)}
    ${markFilled(table)}
  `;
}

function keyEntries(table: ModelTable, from: Sql): Sql {
  const keys = (alias: string) => dangerousRaw(table.key.columns.map(({ name }) => `${alias}${ident(name).text}, `).join(''));
  return sql`
    insert into ${ident('sarrio', objectNames(table.source).delta)} (${keys('')}change_xid, change_at, change_op, change_segment)
    select ${keys('t.')}pg_current_xact_id(), clock_timestamp(), 'U', ${segment(table)}
    from ${from} as t;
  `;
}

/** After the entries, as the triggers do it. */
function markFilled(table: ModelTable): Sql {
  return sql`select sarrio.mark_filled(${literal(`sarrio.${ident(objectNames(table.source).filled).text}`)}::regclass);`;
}

function segment(table: ModelTable): Sql {
  const current = literal(`sarrio.${ident(objectNames(table.source).current).text}`);
  return sql`coalesce(pg_sequence_last_value(${current}::regclass), 1)`;
}

function ownTypes(table: ModelTable): readonly string[] {
  const isKey = (name: string): boolean => table.key.columns.some((column) => column.name === name);
  return table.source.columns.flatMap(({ name, type }) => (isKey(name) && isOwnType(type) ? [name] : []));
}
