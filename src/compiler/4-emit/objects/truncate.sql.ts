import { dollarQuote, ident, literal } from '../../../sql/quote.ts';
import { dangerousRaw, empty, join, type Sql, sql } from '../../../sql/sql.ts';
import { BULK_AFTER, type CaptureTarget, noKey, wakeWhenCaptured } from './capture.sql.ts';
import { onlyOfSameTypes } from './same-types.sql.ts';
import { unlessApplying } from './unless-applying.sql.ts';

/**
 * Purpose: what a TRUNCATE of a table of a multi-master sync does before it empties the table: it records the key of every row as
 * deleted, or fails. The AFTER trigger of `capture.sql.ts` records the TRUNCATE itself beside it, for one-way syncs.
 * Reads: the table or partition that the trigger stands on, a sequence. Writes: the delta table. Called by: the trigger `sarrio_truncate_keys`.
 *
 * The table's name is known only when the trigger fires, since it stands on partitions too: each records its own rows, as TRUNCATE of
 * the partitioned table fires the triggers of them all; a partition that has none yet (it came after the last apply) is read through the
 * partitioned table. The rows are those of the statement's snapshot, taken under TRUNCATE's lock; an
 * older one of a transaction that keeps its snapshot would not show all that goes, so there it fails. Not one row may be hidden by a policy.
 */
export function truncateCapture(target: CaptureTarget, isPartitioned: boolean): Sql {
  const { names, key, captureTriggers } = target;
  const delta = ident('sarrio', names.delta);
  const columns = (alias: string): Sql => dangerousRaw(key.map(({ name }) => `${alias}${ident(name).text}, `).join(''));
  const current = literal(`sarrio.${ident(names.current).text}`);
  const insert = sql`
    insert into ${delta} (${columns('')}change_xid, change_at, change_op, change_segment, change_bulk)
    select ${columns('t.')}(select pg_catalog.pg_current_xact_id()), (select pg_catalog.clock_timestamp()), 'D', $1,
      case when pg_catalog.row_number() over () operator(pg_catalog.>) ${BULK_AFTER} then 0 end
  `;
  const nulls = noKey(names.delta, target.ownTypes);
  const condition = sql`where ${onlyOfSameTypes(delta, key, 't')}`;
  const entriesFrom = (from: string, more: Sql, using: Sql): Sql => sql`
    execute ${literal(insert.text)}
      operator(pg_catalog.||) pg_catalog.format(${literal(` from ${from}%I.%I as t `)}, tg_table_schema, tg_table_name)
      operator(pg_catalog.||) ${literal(condition.text + more.text)}
      using coalesce(segment, 1)${using};
  `;
  const counted = sql`
    get diagnostics captured = row_count;
    if captured operator(pg_catalog.>) ${BULK_AFTER} then
      insert into ${delta} (${nulls.columns}change_xid, change_at, change_op, change_segment, change_bulk)
      values (${nulls.values}pg_catalog.pg_current_xact_id(), pg_catalog.clock_timestamp(), 'B', coalesce(segment, 1), captured operator(pg_catalog.-) ${BULK_AFTER});
    end if;
    ${wakeWhenCaptured(target)}
  `;
  const own = join([entriesFrom('only ', empty, empty), counted], '\n');
  const throughParent = uncapturedPartitions(join([entriesFrom('', sql` and t.tableoid operator(pg_catalog.=) any ($2)`, sql`, uncaptured`), counted], '\n'));
  const body = sql`
    if pg_catalog.current_setting('transaction_isolation') operator(pg_catalog.<>) all (array['read committed', 'read uncommitted']) then
      raise exception using errcode = 'feature_not_supported',
        message = pg_catalog.format('TRUNCATE of %I.%I, which is replicated between masters, needs the isolation level READ COMMITTED', tg_table_schema, tg_table_name),
        hint = 'The snapshot of this transaction may not show every row that would go. Use DELETE, or another transaction.';
    end if;
    ${join(isPartitioned ? [throughParent, own] : [own], '\n')}
    return null;
  `;
  const variables = [
    sql`segment constant pg_catalog.int8 := pg_catalog.pg_sequence_last_value(${current}::pg_catalog.regclass);`,
    sql`captured pg_catalog.int8;`,
    ...(isPartitioned ? [sql`uncaptured pg_catalog.oid[];`] : []),
  ];
  return truncateFunction(names.truncate, { variables, body: captureTriggers === 'always' ? join([unlessApplying, body], '\n') : body });
}

function uncapturedPartitions(entries: Sql): Sql {
  return sql`
    uncaptured := array(
      select p.relid::pg_catalog.oid
      from pg_catalog.pg_partition_tree(tg_relid) as p
      where p.isleaf and p.relid::pg_catalog.oid operator(pg_catalog.<>) tg_relid
        and not exists (
          select from pg_catalog.pg_trigger as g
          where g.tgrelid operator(pg_catalog.=) p.relid::pg_catalog.oid and g.tgname operator(pg_catalog.=) tg_name
            and g.tgenabled operator(pg_catalog.<>) 'D'
        )
    );
    if pg_catalog.cardinality(uncaptured) operator(pg_catalog.>) 0 then
      ${entries}
    end if;
  `;
}

/** For `truncate: 'refuse'`. */
export function truncateRefusal({ names }: Pick<CaptureTarget, 'names'>): Sql {
  const body = sql`
    raise exception using errcode = 'feature_not_supported',
      message = pg_catalog.format('TRUNCATE of %I.%I is refused: the table is replicated', tg_table_schema, tg_table_name),
      hint = 'Use DELETE; or let truncate: ''replicate'' in the config of sarrio take the rows away everywhere.';
    return null;
  `;
  return truncateFunction(names.truncate, { variables: [], body });
}

function truncateFunction(name: string, parts: { variables: readonly Sql[]; body: Sql }): Sql {
  const text = sql`
    #variable_conflict use_variable
    declare
      ${join(parts.variables, '\n')}
    begin
      ${parts.body}
    end
  `;
  const quote = dollarQuote(text.text);
  return sql`
    create or replace function ${ident('sarrio', name)}() returns trigger
    language plpgsql
    volatile
    security definer
    set search_path = pg_catalog, pg_temp
    set row_security = off
    as ${quote}
    ${text}
    ${quote};
    revoke all on function ${ident('sarrio', name)}() from public;
  `;
}
