import { decidePlainly } from '../../../conflict/strategies/plain.ts';
import { type ConflictRule, type HandlerRule, lastRule, type PlainRule, recordedFor, recordsBefore } from '../../../plan/conflict-rule.ts';
import type { ColumnSchema } from '../../../plan/schema-lock.ts';
import { ident, literal, tableIdent } from '../../../sql/quote.ts';
import { dangerousRaw, empty, join, type Sql, sql } from '../../../sql/sql.ts';
import { objectNames } from '../../2-model/object-names.ts';
import { equals } from '../objects/capture.sql.ts';
import { columnsOf, staged, targetKey } from './apply.sql.ts';
import { isXml } from './pending.sql.ts';
import { isOwnType } from './user-types.ts';
import type { MasterTarget } from './master-target.ts';

/**
 * Purpose: the temporary table of keys that were decided where their rows stand, and what is asked of rows that arrive.
 * Reads, writes: that table. Called by: `masters-decide.sql.ts`, `masters-read.sql.ts`, `masters-write.sql.ts`.
 */

/** The session's temporary table of decided keys. */
export function decidedIdent({ table }: Pick<MasterTarget, 'table'>): Sql {
  return ident('pg_temp', objectNames(table.targetName).delta.replace(/^delta_/, 'decided_'));
}

/**
 * `first` and `second` are the members in the order of the sync; a winner is 0 or 1, and null where the row is made by a handler, or none wins. Of a
 * rule that merges: `odd` where each key has to be met; by column whether it is the second one's (null: all are the winner's); the sums of counters.
 */
export function createDecided(at: MasterTarget): Sql {
  const merged = isMerged(at) ? sql`, null::boolean as sarrio_odd, null::boolean[] as sarrio_taken, null::text[] as sarrio_totals` : empty;
  return sql`
    create temporary table if not exists ${decidedIdent(at)} on commit delete rows as
    select ${join(
      targetKey(at).map(({ name }) => ident(name)),
      ', ',
    )}, null::uuid as sarrio_id, null::boolean as sarrio_conflict, null::integer as sarrio_winner, null::text as sarrio_decision,
      null::bigint as sarrio_first_at, null::text as sarrio_first_op, null::bigint as sarrio_second_at, null::text as sarrio_second_op${merged}
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
  return memberCount === 2 && !isRing && unique === null && !isAsked && takesOne(lastRule(rule)) && !recordsBefore(rule);
}

/** Whether a rule that makes the row of both versions is carried out where they stand. */
export function isMerged(at: Parameters<typeof isDecidedInPlace>[0]): boolean {
  return isDecidedInPlace(at) && recordedFor(at.rule) !== null;
}

const MERGED = ['sarrio_cut boolean', 'sarrio_adds boolean', 'sarrio_odd boolean', 'sarrio_amounts numeric[]', 'sarrio_changed boolean[]'] as const;

/** What rows bring beside the time, as columns of the stage: whether the row was inserted, and of a rule that merges what its changes did. */
export function broughtColumns(at: Parameters<typeof isDecidedInPlace>[0]): readonly string[] {
  if (!isDecidedInPlace(at)) return [];
  return ['sarrio_insert boolean', ...(isMerged(at) ? MERGED : [])];
}

export function broughtMore(at: Parameters<typeof isDecidedInPlace>[0]): readonly string[] {
  return broughtColumns(at).map((column) => column.replace(/ .*/, ''));
}

/** Rules that take one version as it is, and handlers, which may. */
export function takesOne(rule: ConflictRule): rule is PlainRule | HandlerRule {
  return ['last-update-wins', 'first-update-wins', 'prefer', 'handler'].includes(rule.strategy);
}

export function keysOfDecided(at: MasterTarget, alias: string): Sql {
  return join(
    targetKey(at).map((column) => equals(column, ident('d', column.name), ident(alias, column.name))),
    ' and ',
  );
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

export function operation(isPresent: Sql, pending: 'p' | 's'): Sql {
  return sql`case when not (${isPresent}) then 'delete' when ${ident(pending, 'sarrio_insert')} then 'insert' else 'update' end`;
}

/** Which of the two wins by a rule that takes one version: 0 or 1. */
export function plainWinner(at: MasterTarget, rule: ConflictRule): Sql {
  if (rule.strategy === 'handler' || !takesOne(rule)) throw new Error(`${rule.strategy} does not choose a version`);
  return sql`case when ${secondWins(at, rule)} then 1 else 0 end`;
}

/** At the same microsecond the first one, as everywhere. */
function secondWins({ databases }: MasterTarget, rule: PlainRule): Sql {
  if (rule.strategy === 'last-update-wins') return dangerousRaw('c.sarrio_second_at > c.sarrio_first_at');
  if (rule.strategy === 'first-update-wins') return dangerousRaw('c.sarrio_second_at < c.sarrio_first_at');
  const versions = databases.map((_, member) => ({ member, pendingAt: 1, at: 0n, op: 'update', image: String(member), names: null }) as const);
  const decision = decidePlainly({ candidates: versions, databases }, rule);
  return dangerousRaw(String(decision.kind === 'take' && decision.member === 1));
}

/** Types of which two values are equal exactly where their texts are the same, if texts are compared byte by byte. */
const WRITTEN_AS_EQUAL = /^(smallint|integer|bigint|uuid|bytea|date|timestamp|timestamp with(out)? time zone|boolean)$/;
const TEXT = /^(text|character varying(\(\d+\))?)$/;

/** The values as the server writes them, null told from every text. */
export function sameText(column: ColumnSchema): Sql {
  const [own, arrived] = [ident('t', column.name), ident('s', column.name)];
  if (WRITTEN_AS_EQUAL.test(column.type)) return sql`${own} is not distinct from ${arrived}`;
  if (TEXT.test(column.type)) return sql`${own} collate "C" is not distinct from ${arrived} collate "C"`;
  return sql`format('%L', ${written('t', column)}) collate "C" = format('%L', ${written('s', column)}) collate "C"`;
}

export function written(alias: string, { name, type }: ColumnSchema): Sql {
  return isXml(type) ? sql`${ident(alias, name)}::text${dangerousRaw(type.slice('xml'.length))}` : ident(alias, name);
}

/** Types whose cast to text is the text that the server writes. */
const PLAINLY_WRITTEN =
  /^(text|character varying|smallint|integer|bigint|numeric|real|double precision|uuid|bytea|date|time|timestamp|interval|jsonb?)(\([\d,]+\))?( with(out)? time zone)?$/;

/** As the server writes it. A composite value of nulls alone is a value. */
export function textOf(alias: string, column: ColumnSchema): Sql {
  if (PLAINLY_WRITTEN.test(column.type)) return sql`${ident(alias, column.name)}::text`;
  const value = written(alias, column);
  const isValue = isOwnType(column.type) ? sql`num_nonnulls(${value}) = 1` : sql`${value} is not null`;
  return sql`case when ${isValue} then concat(${value}) end`;
}

export function memberNames({ databases }: MasterTarget): readonly [Sql, Sql] {
  const [first, second] = databases.map(literal);
  if (first === undefined || second === undefined) throw new Error('a sync without members');
  return [first, second];
}
