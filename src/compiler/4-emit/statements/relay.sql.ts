import { ident, literal } from '../../../sql/quote.ts';
import { dangerousRaw, join, type Sql, sql } from '../../../sql/sql.ts';
import type { RelayStatements } from '../../../plan/plan.ts';
import { objectNames, wakeName } from '../../2-model/object-names.ts';
import { noKey } from '../objects/capture.sql.ts';
import { type ApplyTarget, changedRows, stageIdent, targetKey, targetRows } from './apply.sql.ts';
import { isOwnType } from './user-types.ts';

/** Another sync that captures the target table; a multi-master one, or one that keeps truncated rows, takes no TRUNCATE entries. */
export type Reader = { readonly name: string; readonly takesTruncate: boolean };

/**
 * Purpose: cascading. Our apply is not captured by triggers, so where the target table is captured for other syncs, the same
 * transaction records what it wrote, tagged with this sync.
 * Reads: the stage table or a JSON parameter. Writes: the target table's delta table. Called by: `emitRoute`.
 */
export function relayStatements(at: ApplyTarget, sync: string, readers: readonly Reader[]): RelayStatements {
  const names = objectNames(at.table.targetName);
  const keys = keysOf(at);
  const ownTypes = keys.filter((key) => at.target.columns.some(({ name, type }) => name === key && isOwnType(type)));
  const nulls = noKey(names.delta, ownTypes);
  const written = at.table.gone === 'kept' ? dangerousRaw(' where s.sarrio_present') : dangerousRaw('');
  const entries = (from: Sql) => keyEntries(at, { sync, op: sql`case when s.sarrio_present then 'U' else 'D' end::"char"`, from: sql`${from} as s${written}` });
  const refresh = sql`
    ${into(at, nulls.columns)}
    values (${nulls.values}pg_current_xact_id(), clock_timestamp(), 'T', ${segmentOf(at)}, ${literal(sync)})
  `;
  const all = keyEntries(at, { sync, op: sql`'U'`, from: sql`${targetRows(at)} as s` });
  return {
    rows: sql`
      with ${changedRows(at)}
      ${entries(dangerousRaw('changed'))}
    `.text,
    stage: entries(stageIdent(at.table)).text,
    all: (readers.some(({ takesTruncate }) => !takesTruncate)
      ? sql`
      with refreshed as (
        ${refresh}
      )
      ${all}
    `
      : refresh
    ).text,
    filled: join([ident('sarrio', names.filled)]).text,
    wakes: readers.map(({ name }) => ({ sync: name, sequence: ident('sarrio', wakeName(name)).text })),
  };
}

/** Where members of another multi-master sync read the table: empties it, and records each key, since they know of no TRUNCATE. */
export function clearRecorded(at: ApplyTarget, sync: string): Sql {
  const keys = join(
    keysOf(at).map((key) => ident('t', key)),
    ', ',
  );
  return sql`
    with gone as (
      delete from ${targetRows(at)} as t
      returning ${keys}
    )
    ${keyEntries(at, { sync, op: sql`'D'`, from: sql`gone as s` })}
  `;
}

function keyEntries(at: ApplyTarget, entry: { sync: string; op: Sql; from: Sql }): Sql {
  const columns = (alias: string): Sql =>
    dangerousRaw(
      keysOf(at)
        .map((key) => `${alias}${ident(key).text}, `)
        .join(''),
    );
  return sql`
    ${into(at, columns(''))}
    select ${columns('s.')}pg_current_xact_id(), clock_timestamp(), ${entry.op}, ${segmentOf(at)}, ${literal(entry.sync)}
    from ${entry.from}
  `;
}

function into({ table }: ApplyTarget, columns: Sql): Sql {
  return sql`insert into ${ident('sarrio', objectNames(table.targetName).delta)} (${columns}change_xid, change_at, change_op, change_segment, change_sync)`;
}

function segmentOf({ table }: ApplyTarget): Sql {
  const current = literal(`sarrio.${ident(objectNames(table.targetName).current).text}`);
  return sql`coalesce(pg_sequence_last_value(${current}::regclass), 1)`;
}

function keysOf(at: ApplyTarget): readonly string[] {
  return targetKey(at).map(({ name }) => name);
}
