import { type HandlerRule, type PlainRule, recordsBefore } from '../../../plan/conflict-rule.ts';
import { ident, tableIdent } from '../../../sql/quote.ts';
import { join, type Sql, sql } from '../../../sql/sql.ts';
import { objectNames } from '../../2-model/object-names.ts';
import { equals } from '../objects/capture.sql.ts';
import { columnsOf, staged, targetKey } from './apply.sql.ts';
import type { MasterTarget } from './masters.sql.ts';

/**
 * Purpose: the temporary table of keys that were decided where their rows stand, and what is asked of rows that arrive.
 * Reads, writes: that table. Called by: `masters-decide.sql.ts`, `masters-read.sql.ts`, `masters-write.sql.ts`.
 */

/** The session's temporary table of decided keys. */
export function decidedIdent({ table }: Pick<MasterTarget, 'table'>): Sql {
  return ident('pg_temp', objectNames(table.targetName).delta.replace(/^delta_/, 'decided_'));
}

/** `first` and `second` are the members in the order of the sync; a winner is 0 or 1, and null where the row is made by a handler, or none wins. */
export function createDecided(at: MasterTarget): Sql {
  return sql`
    create temporary table if not exists ${decidedIdent(at)} on commit delete rows as
    select ${join(
      targetKey(at).map(({ name }) => ident(name)),
      ', ',
    )}, null::uuid as sarrio_id, null::boolean as sarrio_conflict, null::integer as sarrio_winner, null::text as sarrio_decision,
      null::bigint as sarrio_first_at, null::text as sarrio_first_op, null::bigint as sarrio_second_at, null::text as sarrio_second_op
    from ${tableIdent(at.table.targetName)}
    with no data
  `;
}

/**
 * Between two who has seen what needs no asking, unless two syncs of a ring share them; with a rule for unique values, or a handler of exceptions,
 * everything settled has to stand in the stage. A handler that asks for the last common row looks at each key anyway.
 */
export function isDecidedInPlace({
  memberCount,
  isRing,
  unique,
  isAsked,
  rule,
}: Pick<MasterTarget, 'memberCount' | 'isRing' | 'unique' | 'isAsked' | 'rule'>): boolean {
  return memberCount === 2 && !isRing && unique === null && !isAsked && takesOne(rule) && !recordsBefore(rule);
}

/** Rules that take one version as it is, and handlers, which may. */
export function takesOne(rule: MasterTarget['rule']): rule is PlainRule | HandlerRule {
  return ['last-update-wins', 'first-update-wins', 'prefer', 'handler'].includes(rule.strategy);
}

export function keysOfDecided(at: MasterTarget, alias: string): Sql {
  return join(
    targetKey(at).map((column) => equals(column, ident('d', column.name), ident(alias, column.name))),
    ' and ',
  );
}

/** Rows of the stage (alias `s`) that no decision tells of already. */
export function isUndecided(at: MasterTarget): Sql {
  return sql`not exists (select from ${decidedIdent(at)} as d where d.sarrio_conflict and ${keysOfDecided(at, 's')})`;
}

/** The row that stands here (alias `t`, perhaps none) is not the one that arrives (alias `s`). Compared by bytes: not every type has an equality, and equal values may be spelled differently. */
export function isOther(at: MasterTarget): Sql {
  const columns = columnsOf(at);
  const here = join(
    columns.map(({ name }) => ident('t', name)),
    ', ',
  );
  const there = join(
    columns.map((column) => staged(at, column)),
    ', ',
  );
  return sql`((t.tableoid is not null) <> s.sarrio_present or (s.sarrio_present and row(${here})::record *<> row(${there})::record))`;
}
