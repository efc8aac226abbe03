import { ident, literal } from '../../../sql/quote.ts';
import { dangerousRaw, join, type Sql, sql } from '../../../sql/sql.ts';
import type { RelayStatements } from '../../../plan/plan.ts';
import { objectNames, wakeName } from '../../2-model/object-names.ts';
import { noKey } from '../objects/capture.sql.ts';
import { type ApplyTarget, changedRows, stageIdent, targetKey } from './apply.sql.ts';
import { isOwnType } from './user-types.ts';

/**
 * Purpose: cascading. Our apply is not captured by triggers, so where the target table is captured for other syncs, the same
 * transaction records what it wrote, tagged with this sync.
 * Reads: the stage table or a JSON parameter. Writes: the target table's delta table. Called by: `emitRoute`.
 */
export function relayStatements(at: ApplyTarget, sync: string, readers: readonly string[]): RelayStatements {
  const names = objectNames(at.table.targetName);
  const keys = targetKey(at).map(({ name }) => name);
  const current = literal(`sarrio.${ident(names.current).text}`);
  const into = (columns: Sql) => sql`insert into ${ident('sarrio', names.delta)} (${columns}change_xid, change_at, change_op, change_segment, change_sync)`;
  const segment = sql`coalesce(pg_sequence_last_value(${current}::regclass), 1)`;
  const ownTypes = keys.filter((key) => at.target.columns.some(({ name, type }) => name === key && isOwnType(type)));
  const nulls = noKey(names.delta, ownTypes);
  const keyColumns = (alias: string) => dangerousRaw(keys.map((key) => `${alias}${ident(key).text}, `).join(''));
  const entries = (from: Sql) => sql`
    ${into(keyColumns(''))}
    select ${keyColumns('s.')}pg_current_xact_id(), clock_timestamp(), case when s.sarrio_present then 'U' else 'D' end::"char", ${segment}, ${literal(sync)}
    from ${from} as s
  `;
  return {
    rows: sql`
      with ${changedRows(at)}
      ${entries(dangerousRaw('changed'))}
    `.text,
    stage: entries(stageIdent(at.table)).text,
    all: sql`
      ${into(nulls.columns)}
      values (${nulls.values}pg_current_xact_id(), clock_timestamp(), 'T', ${segment}, ${literal(sync)})
    `.text,
    filled: join([ident('sarrio', names.filled)]).text,
    wakes: readers.map((reader) => ({ sync: reader, sequence: join([ident('sarrio', wakeName(reader))]).text })),
  };
}
