import type { ChangedRuns } from '../../../plan/plan-full-copy.ts';
import { ident } from '../../../sql/quote.ts';
import { dangerousRaw, type Sql, sql } from '../../../sql/sql.ts';
import { targetNameOf } from '../../2-model/target-name.ts';
import { columnsOf, targetRows } from './apply.sql.ts';
import { currentRows } from './pending.sql.ts';
import { columns } from './read.sql.ts';
import { type HashedSide, INTEGER } from './verify-hashes.sql.ts';
import type { VerifyTarget } from './verify.sql.ts';

/** The number of the run that a row of alias `t` is in, and its key: both sides have it in an index. */
type Runs = { readonly rows: Sql; readonly key: Sql; readonly hash: Sql };

/**
 * Purpose: comparing a table by runs, neighbours of a key that is one integer, so that what differs is found and read by the key's index.
 * Reads: the table on both sides; settings `sarrio.shift`, `sarrio.fine`, `sarrio.runs`. Writes: the target table. Called by: `changedStatements`.
 *
 * Run N are the keys of which the upper bits, those beyond `sarrio.shift`, are N. They are summed up wholly, then again in finer runs
 * where they differ, so that little more is sent than what differs.
 */
export function changedRuns(at: VerifyTarget, sides: { source: HashedSide; target: HashedSide }, isSame: Sql): ChangedRuns | null {
  const names = indexedKey(at);
  if (names === null) return null;
  const source: Runs = { rows: currentRows(at.table), key: ident('t', names.source), hash: sides.source.rowHash };
  const target: Runs = { rows: targetRows(at), key: ident('t', names.target), hash: sides.target.rowHash };
  const copied = sql`select ${columns(at.table)}`;
  const to = dangerousRaw(`to stdout (format ${at.copyFormat})`);
  return {
    spanSource: spanOf(source).text,
    spanTarget: spanOf(target).text,
    sumSource: sumAll(source).text,
    sumTarget: sumAll(target).text,
    sumSourceWithin: sumWithin(source).text,
    sumTargetWithin: sumWithin(target).text,
    copyFew: sql`
      copy (
        ${copied}
        from ${RUNS}
        join ${source.rows} as t on ${isWithin(source)}
      ) ${to}
    `.text,
    copyMany: sql`
      copy (
        ${copied}
        from ${source.rows} as t
        where ${isAmong(source)}
      ) ${to}
    `.text,
    deleteFew: sql`
      delete from ${target.rows} as t
      using ${RUNS}
      where ${isWithin(target)}
        and not ${isSame}
    `.text,
    deleteMany: sql`
      delete from ${target.rows} as t
      where ${isAmong(target)}
        and not ${isSame}
    `.text,
  };
}

/** The key's names on both sides when it is one integer that flows as it is and both have an index of. */
function indexedKey({ table, target }: VerifyTarget): { readonly source: string; readonly target: string } | null {
  const [key, ...more] = table.key.columns;
  if (key === undefined || more.length > 0) return null;
  const name = targetNameOf(table, key.name);
  const types = [
    table.source.columns.find((column) => column.name === key.name)?.type,
    columnsOf({ table, target, copyFormat: 'text' }).find((column) => column.name === name)?.type,
  ];
  if (name === null || !types.every((type) => type !== undefined && INTEGER.test(type))) return null;
  const isIndexed = [
    { keys: table.source.keys, column: key.name },
    { keys: target.keys, column: name },
  ].every(({ keys, column }) => keys.some(({ columns: [first] }) => first?.name === column));
  return isIndexed ? { source: key.name, target: name } : null;
}

function spanOf({ rows, key }: Runs): Sql {
  return sql`select min(${key})::text as first, max(${key})::text as last from ${rows} as t`;
}

function setting(name: 'shift' | 'fine'): Sql {
  return sql`(select current_setting(${dangerousRaw(`'sarrio.${name}'`)})::integer)`;
}

/** As `sumBuckets`, which says what the second branch is for. */
function sumAll(side: Runs): Sql {
  return sums(side, sql`${side.rows} as t`);
}

function sumWithin(side: Runs): Sql {
  return sums(side, sql`${RUNS} join ${side.rows} as t on ${isWithin(side)}`);
}

function sums({ key, hash }: Runs, from: Sql): Sql {
  return sql`
    select x.run, count(*) as rows, sum(x.hash) as hash
    from (
      select ${key}::bigint >> ${setting('fine')} as run, ${hash} as hash
      from ${from}
      union all
      select 0::bigint, 0::bigint
      where false
    ) as x
    group by x.run
  `;
}

/** The runs in the setting. */
const RUNS = sql`
  (
    select u.run << ${setting('shift')} as low, u.run << ${setting('shift')} | ((1::bigint << ${setting('shift')}) - 1) as high
    from unnest((select current_setting('sarrio.runs')::bigint[])) as u (run)
  ) as r`;

/** Read by the index, run for run. */
function isWithin({ key }: Runs): Sql {
  return sql`${key} between r.low and r.high`;
}

/** Read by one scan of the table. */
function isAmong({ key }: Runs): Sql {
  return sql`${key}::bigint >> ${setting('shift')} in (select unnest((select current_setting('sarrio.runs')::bigint[])))`;
}
