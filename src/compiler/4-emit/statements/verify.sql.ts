import { ident, tableIdent } from '../../../sql/quote.ts';
import { dangerousRaw, join, type Sql, sql } from '../../../sql/sql.ts';
import type { VerifyStatements } from '../../../plan/plan-verify.ts';
import type { ModelColumn } from '../../2-model/model.ts';
import { objectNames } from '../../2-model/object-names.ts';
import { equals } from '../objects/capture.sql.ts';
import { targetNameOf } from '../../2-model/target-name.ts';
import { type ApplyTarget, columnsOf, targetKey, targetRows } from './apply.sql.ts';
import { columnOf, currentRows, deltaIdent, pendingCondition, pendingKeys } from './pending.sql.ts';
import { rowsOfKeys } from './read.sql.ts';
import { isOwnType } from './user-types.ts';
import { type HashedColumn, hashSide, type HashedSide, INTEGER } from './verify-hashes.sql.ts';

/** A table of one route, and whether both servers keep text in the same bytes. */
export type VerifyTarget = ApplyTarget & { readonly sameEncoding: boolean };

/** Types whose text is the same in the target's type, when that differs: no conversion before hashing. */
const SAME_TEXT = /^(text|character varying|bit varying)(\(.*\))?$/;

/**
 * Purpose: comparing a table of the target with the source's rows, and writing the differences.
 * Reads: the table on both sides, its delta table, temporary tables. Writes: temporary tables of the target. Called by: `emitRoute`.
 *
 * Both sides hash the same text: each value as the server writes it, the source's in the type of the target's column. Keys are matched
 * by the target's own equality, never by text, so that a key spelled differently is a difference of that column.
 */
export function verifyStatements(at: VerifyTarget, sync: string): VerifyStatements {
  const source = hashSide({ rows: currentRows(at.table), columns: sourceColumns(at), key: keyNames(at) }, at.sameEncoding);
  const target = hashSide({ rows: targetRows(at), columns: targetColumns(at), key: keyNames(at) }, at.sameEncoding);
  const to = dangerousRaw('to stdout (format text)');
  const keysOnSource = at.table.key.columns.map(({ name }) => name);
  return {
    lockSource: sql`lock table ${dangerousRaw(at.table.capture === 'row' ? 'only ' : '')}${tableIdent(at.table.source)} in access share mode`.text,
    lockTarget: sql`lock table ${targetRows(at)} in access share mode`.text,
    sumSource: sumBuckets(source).text,
    sumTarget: sumBuckets(target).text,
    isTruncated: isTruncated(at, sync).text,
    copyPending: sql`
      copy (
        select ${list(keysOnSource, 'p')}, true, null
        from (
          ${pendingKeys(at.table, sync, true)}
        ) as p
      ) ${to}
    `.text,
    copyHashes: sql`
      copy (
        select ${list(keysOnSource, 't')}, false, ${source.columnHashes}
        from ${source.rows} as t
        where ${source.isWanted}
      ) ${to}
    `.text,
    ...stageStatements(at),
    findDifferences: findDifferences(at, target).text,
    ...differenceStatements(at),
    copyKeys: sql`
      copy (
        ${rowsOfKeys(at.table, wantedKeys(at))}
      ) ${dangerousRaw(`to stdout (format ${at.copyFormat})`)}
    `.text,
  };
}

/** Between masters no TRUNCATE is pending: its keys are. */
function isTruncated({ table }: VerifyTarget, sync: string): Sql {
  if (!table.takesTruncate) return sql`select false as is_truncated`;
  return sql`
    select exists (
      select from ${deltaIdent(table)} as d
      where ${pendingCondition(sync, 'd')}
        and d.change_op = 'T'
    ) as is_truncated
  `;
}

/**
 * The second branch never gives a row. It keeps the planner from taking as many groups as there are keys: with that estimate it would
 * neither use workers nor keep the hash table in one piece (measured: twice the time).
 */
export function sumBuckets({ rows, bucket, rowHash, isWanted }: HashedSide): Sql {
  return sql`
    select x.bucket, count(*) as rows, sum(x.hash) as hash
    from (
      select ${bucket} as bucket, ${rowHash} as hash
      from ${rows} as t
      where ${isWanted}
      union all
      select 0::bigint, 0::bigint
      where false
    ) as x
    group by x.bucket
  `;
}

function stageStatements(at: VerifyTarget): Pick<VerifyStatements, 'createStage' | 'loadStage' | 'dropStage'> {
  const keys = keyNames(at);
  const [stage, differing] = [stageIdent(at), differingIdent(at)];
  return {
    createStage: sql`
      create temporary table ${stage} on commit delete rows as
      select ${list(keys)}, null::boolean as sarrio_pending, null::bigint[] as sarrio_hashes
      from ${tableIdent(at.table.targetName)}
      with no data;
      create temporary table ${differing} as
      select ${list(keys)}, null::bigint as sarrio_number, null::text as sarrio_kind, null::integer[] as sarrio_columns
      from ${tableIdent(at.table.targetName)}
      with no data
    `.text,
    loadStage: sql`copy ${stage} (${list(keys)}, sarrio_pending, sarrio_hashes) from stdin (format text)`.text,
    dropStage: sql`drop table if exists ${stage}, ${differing}`.text,
  };
}

/** A row of one side alone (where rows stay that are gone at the source: of that one), or with other hashes; `in-flight` when its key is pending, so that the next round writes it anyway. */
function findDifferences(at: VerifyTarget, target: HashedSide): Sql {
  const keys = keyNames(at);
  const both = join(
    keys.map((key) => sql`coalesce(${ident('s', key)}, ${ident('t', key)}) as ${ident(key)}`),
    ', ',
  );
  return sql`
    insert into ${differingIdent(at)} (${list(keys)}, sarrio_number, sarrio_kind, sarrio_columns)
    select ${list(keys, 'd')}, row_number() over (), case when p.sarrio_pending then 'in-flight' else d.sarrio_kind end, d.sarrio_columns
    from (
      select ${both},
        case when t.sarrio_hashes is null then 'missing' when s.sarrio_hashes is null then 'extra' else 'different' end as sarrio_kind,
        array(
          select n.number
          from generate_subscripts(s.sarrio_hashes, 1) as n (number)
          where s.sarrio_hashes[n.number] <> t.sarrio_hashes[n.number]
        ) as sarrio_columns
      from (
        select ${list(keys)}, sarrio_hashes
        from ${stageIdent(at)}
        where not sarrio_pending
      ) as s
      ${dangerousRaw(at.table.gone === 'deleted' ? 'full' : 'left')} join (
        select ${list(keys, 't')}, ${target.columnHashes} as sarrio_hashes
        from ${target.rows} as t
        where ${target.isWanted}
      ) as t on ${sameKeys(at, 't', 's')}
      where s.sarrio_hashes is distinct from t.sarrio_hashes
    ) as d
    left join ${stageIdent(at)} as p on p.sarrio_pending and ${sameKeys(at, 'd', 'p')}
  `;
}

function differenceStatements(
  at: VerifyTarget,
): Pick<VerifyStatements, 'countDifferences' | 'countColumns' | 'listDifferences' | 'setPendingAside' | 'nextKeys'> {
  const keys = keyNames(at);
  const differing = differingIdent(at);
  const object = keys.map((key, index) => sql`${dangerousRaw(`'k${index + 1}'`)}, concat(${ident('d', key)})`);
  return {
    countDifferences: sql`
      select d.sarrio_kind as kind, count(*) as rows
      from ${differing} as d
      group by d.sarrio_kind
    `.text,
    countColumns: sql`
      select n.number as column, count(*) as rows
      from ${differing} as d, unnest(d.sarrio_columns) as n (number)
      where d.sarrio_kind = 'different'
      group by n.number
      order by n.number
    `.text,
    listDifferences: sql`
      select d.sarrio_kind, d.sarrio_columns, ${join(
        keys.map((key) => sql`concat(${ident('d', key)})`),
        ', ',
      )}
      from ${differing} as d
      where d.sarrio_kind <> 'in-flight'
      order by ${list(keys, 'd')}
      limit $1::bigint
    `.text,
    setPendingAside: sql`
      update ${differing} as d
      set sarrio_kind = 'in-flight'
      from ${stageIdent(at)} as p
      where p.sarrio_pending and d.sarrio_kind <> 'in-flight' and ${sameKeys(at, 'd', 'p')}
    `.text,
    nextKeys: sql`
      select max(d.sarrio_number) as last, json_agg(json_build_object(${join(object, ', ')})) as keys
      from (
        select *
        from ${differing} as d
        where d.sarrio_number > $1::bigint and d.sarrio_kind <> 'in-flight'
        order by d.sarrio_number
        limit $2::bigint
      ) as d
    `.text,
  };
}

/** The keys in the setting, in the types of the source. */
function wantedKeys({ table }: VerifyTarget): Sql {
  const arriving = table.key.columns.map((_, index) => dangerousRaw(`k${index + 1} text`));
  const keys = table.key.columns.map(({ name }, index) => {
    const type = table.source.columns.find((column) => column.name === name)?.type ?? 'text';
    return sql`${dangerousRaw(`r.k${index + 1}::${type}`)} as ${ident(name)}`;
  });
  return sql`
    select ${join(keys, ', ')}
    from json_to_recordset((select current_setting('sarrio.keys')::json)) as r (${join(arriving, ', ')})
  `;
}

export function sourceColumns(at: VerifyTarget): readonly HashedColumn[] {
  const types = columnsOf(at).map(({ type }) => type);
  return at.table.columns.map((column, index) => ({ name: column.target, ...inTypeOf(column, types[index] ?? '') }));
}

/** The source's value as the target holds it. A round brings it there as text, and so does this. */
function inTypeOf(column: ModelColumn, type: string): Pick<HashedColumn, 'value' | 'type'> {
  const value = columnOf(column);
  const wanted = dangerousRaw(type);
  if (isOwnType(type)) return { value, type };
  if (column.from.kind === 'computed') return { value: sql`case when ${value} is distinct from null then concat(${value})::${wanted} end`, type };
  const own = column.from.column.type;
  if (INTEGER.test(own) && INTEGER.test(type)) return { value: own === type ? value : sql`${value}::${wanted}`, type };
  const isSame = own === type || (SAME_TEXT.test(own) && SAME_TEXT.test(type));
  return { value: isSame ? value : sql`${value}::text::${wanted}`, type };
}

export function targetColumns(at: VerifyTarget): readonly HashedColumn[] {
  return columnsOf(at).map(({ name, type }) => ({ name, type, value: ident('t', name) }));
}

/** Key columns by their names on the target, in the order of the source's key. */
export function keyNames({ table }: Pick<VerifyTarget, 'table'>): readonly string[] {
  return table.key.columns.map(({ name }) => targetNameOf(table, name) ?? name);
}

function sameKeys(at: VerifyTarget, left: string, right: string): Sql {
  return join(
    targetKey(at).map((column) => equals(column, ident(left, column.name), ident(right, column.name))),
    ' and ',
  );
}

export function list(names: readonly string[], alias?: string): Sql {
  return join(
    names.map((name) => (alias === undefined ? ident(name) : ident(alias, name))),
    ', ',
  );
}

export function stageIdent({ table }: ApplyTarget): Sql {
  return ident('pg_temp', objectNames(table.targetName).delta.replace(/^delta_/, 'verify_'));
}

export function differingIdent({ table }: ApplyTarget): Sql {
  return ident('pg_temp', objectNames(table.targetName).delta.replace(/^delta_/, 'differing_'));
}
