import { ident, literal } from '../../../sql/quote.ts';
import { dangerousRaw, join, type Sql, sql } from '../../../sql/sql.ts';
import type { ClashStatements } from '../../../plan/unique-rule.ts';
import type { ColumnSchema, KeySchema } from '../../../plan/schema-lock.ts';
import { visibleUnique } from '../../2-model/unique-indexes.ts';
import { equals } from '../objects/capture.sql.ts';
import { columnsOf, isStagedAsText, targetKey, targetRows } from './apply.sql.ts';
import { lastChange, pendingByKey } from './masters-pending.sql.ts';
import { masterStage } from './masters-read.sql.ts';
import { changedRows, sameKeys } from './masters-write.sql.ts';
import type { MasterTarget } from './master-target.ts';

/**
 * Purpose: rows that arrive and hold a unique value which a row with another key holds that stays, or that arrives as well.
 * Reads: a JSON parameter or the stage, the table, its delta table. Writes: nothing. Called by: `masterStatements`.
 */
export function clashStatements(at: MasterTarget, sync: string): ClashStatements | null {
  const indexes = visibleUnique(at.table);
  if (indexes.length === 0) return null;
  return {
    ofRows: sql`
      with ${changedRows(at)}
      ${clashes(at, sync, { indexes, changed: dangerousRaw('changed') })}
    `.text,
    ofStage: clashes(at, sync, { indexes, changed: masterStage(at) }).text,
  };
}

/** When a row that stands here was changed is known as long as somebody has not seen the change. */
function clashes(at: MasterTarget, sync: string, { indexes, changed }: { indexes: readonly KeySchema[]; changed: Sql }): Sql {
  const keys = targetKey(at).map((column) => equals(column, ident('p', column.name), ident('c', column.name)));
  const found = indexes.flatMap((index) => [standing(at, index, changed), arriving(at, index, changed)]);
  return sql`
    select c.sarrio_index, c.one_key, c.one_row, c.one_at, c.other_key, c.other_row, coalesce(c.other_at, p.sarrio_at) as other_at, c.other_stands
    from (
      ${join(found, '\nunion all\n')}
    ) as c
    left join (
      ${pendingByKey(at.table, sync, { of: sql`${lastChange(at)} as sarrio_at`, from: dangerousRaw(''), hasNames: false })}
    ) as p on c.other_stands and ${join(keys, ' and ')}
  `;
}

function standing(at: MasterTarget, index: KeySchema, changed: Sql): Sql {
  return sql`
    select ${pairOf(at, index, 't')}, null::bigint as other_at, true as other_stands, ${keyColumns(at, 't')}
    from ${changed} as s
    join ${targetRows(at)} as t on ${sameValues(at, index, 't')}
    where s.sarrio_present
      and not exists (select from ${changed} as w where ${sameKeys(at, 'w', 't')})
  `;
}

function arriving(at: MasterTarget, index: KeySchema, changed: Sql): Sql {
  return sql`
    select ${pairOf(at, index, 'o')}, o.sarrio_at as other_at, false as other_stands, ${keyColumns(at, 'o')}
    from ${changed} as s
    join ${changed} as o on ${sameValues(at, index, 'o')} and not (${sameKeys(at, 's', 'o')})
    where s.sarrio_present and o.sarrio_present
  `;
}

function pairOf(at: MasterTarget, { name }: KeySchema, other: 't' | 'o'): Sql {
  const texts = (alias: string, columns: readonly ColumnSchema[]): Sql =>
    join(
      columns.map((column) => sql`${typedValue(at, alias, column)}::text`),
      ', ',
    );
  const keys = targetKey(at).flatMap((key) => columnsOf(at).find((column) => column.name === key.name) ?? []);
  return sql`${literal(name)} as sarrio_index, json_build_array(${texts('s', keys)}) as one_key, json_build_array(${texts('s', columnsOf(at))}) as one_row, s.sarrio_at as one_at, json_build_array(${texts(other, keys)}) as other_key, json_build_array(${texts(other, columnsOf(at))}) as other_row`;
}

function keyColumns(at: MasterTarget, alias: string): Sql {
  return join(
    targetKey(at).map(({ name }) => ident(alias, name)),
    ', ',
  );
}

function sameValues(at: MasterTarget, { columns }: KeySchema, other: 't' | 'o'): Sql {
  const pairs = columns.map((column) => {
    const schema = columnsOf(at).find(({ name }) => name === column.name);
    if (schema === undefined) throw new Error(`unique column ${column.name} does not flow`);
    return equals(column, typedValue(at, 's', schema), typedValue(at, other, schema));
  });
  return join(pairs, ' and ');
}

/** The table's own values have their types; those of users' types travel as text. */
function typedValue(at: MasterTarget, alias: string, column: ColumnSchema): Sql {
  const value = ident(alias, column.name);
  return alias !== 't' && isStagedAsText(at, column) ? sql`${value}::${dangerousRaw(column.type)}` : value;
}
