import { lastRule } from '../../../plan/conflict-rule.ts';
import { ident } from '../../../sql/quote.ts';
import { dangerousRaw, join, type Sql, sql } from '../../../sql/sql.ts';
import type { ModelTable } from '../../2-model/model.ts';
import { bulkCondition, deltaIdent, pendingCondition } from './pending.sql.ts';
import type { MasterTarget } from './master-target.ts';

/**
 * Purpose: the pending keys of one table with what their entries say.
 * Reads: the table's delta table. Writes: nothing. Called by: what a round between masters reads.
 */

/** What is asked of a key's entries, whom they are joined with, and what of an entry is looked at beside its key and its time. */
export type EntriesOfKey = {
  readonly of: Sql;
  readonly from: Sql;
  readonly hasNames: boolean;
  readonly isRecorded?: boolean;
  readonly isBefore?: boolean;
  readonly isByTransaction?: boolean;
};

/** One row for each pending key (for each transaction that changed it, where asked so): the key, `what` of its entries (alias `d`). */
export function pendingByKey(table: ModelTable, sync: string, what: EntriesOfKey): Sql {
  const keys = keyList(table, 'd');
  const by = dangerousRaw(what.isByTransaction ? ', d.change_xid' : '');
  const names = dangerousRaw(
    [
      what.hasNames ? ', d.change_origin, d.change_origin_xid' : '',
      what.isRecorded ? ', d.change_columns, d.change_amounts, d.change_carried' : '',
      what.isBefore ? ', d.change_before' : '',
    ].join(''),
  );
  return sql`
    select ${keyList(table, 'd')}${by}, ${what.of}
    from (
      select ${keys}, d.change_xid, d.change_at, d.change_op${names}
      from ${deltaIdent(table)} as d
      where ${pendingCondition(sync, 'd')}
        and d.change_op not in ('T', 'B')
      union all
      select ${keys}, d.change_xid, d.change_at, d.change_op${names}
      from ${deltaIdent(table)} as d
      where ${bulkCondition(table, sync)}
    ) as d
    ${what.from}
    group by ${keys}${by}
  `;
}

/**
 * Microseconds since 1970 of the change that made the row. An entry of a round has the time of the version that it carries, which under
 * first-update-wins may be before that of what it overruled here; then the last entry counts, not the latest time. In a ring always, so that
 * a version has one time wherever it is met, whatever stood there before.
 */
export function lastChange({ rule, isRing }: Pick<MasterTarget, 'rule' | 'isRing'>): Sql {
  const at =
    isRing || lastRule(rule).strategy === 'first-update-wins' ? '(array_agg(d.change_at order by d.change_xid desc, d.change_at desc))[1]' : 'max(d.change_at)';
  return dangerousRaw(`(extract(epoch from ${at}) * 1000000)::bigint`);
}

export function keyList(table: ModelTable, alias: string): Sql {
  return join(
    table.key.columns.map(({ name }) => ident(alias, name)),
    ', ',
  );
}
