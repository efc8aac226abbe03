import { MASK } from '../../../conflict/mask.ts';
import { decidePlainly } from '../../../conflict/strategies/plain.ts';
import type { HandlerRule, PlainRule } from '../../../plan/conflict-rule.ts';
import type { DecideStatements } from '../../../plan/plan-masters.ts';
import type { ColumnSchema } from '../../../plan/schema-lock.ts';
import { displayName, ident, literal } from '../../../sql/quote.ts';
import { dangerousRaw, join, type Sql, sql } from '../../../sql/sql.ts';
import { objectNames } from '../../2-model/object-names.ts';
import { equals } from '../objects/capture.sql.ts';
import { columnsOf, sameTargetKey, targetKey, targetRows } from './apply.sql.ts';
import type { MasterTarget } from './masters.sql.ts';
import { decidedIdent, isDecidedInPlace, keysOfDecided, takesOne } from './masters-decided.sql.ts';
import { keyList, lastChange, masterStage, pendingByKey } from './masters-read.sql.ts';
import { currentRows, isXml, sameKey } from './pending.sql.ts';
import { isOwnType } from './user-types.ts';

/**
 * Purpose: decides many contested keys of two members where their rows stand, by a rule that takes one version as it is; or shows them to a
 * handler. Says in SQL what `conflict/settle.ts` says of two versions; `test/masters/many.test.ts` holds one against the other.
 * Reads: the table, its delta table, the stage with what the other one has delivered. Writes: temporary tables, the delta table,
 * sarrio.conflict. Called by: `masterStatements`.
 */
export function decideStatements(at: MasterTarget, sync: string): DecideStatements | null {
  const { rule } = at;
  if (!isDecidedInPlace(at) || !takesOne(rule)) return null;
  const decided = decidedIdent(at);
  return {
    decide: decide(at, sync, rule).text,
    conflicts: rule.strategy === 'handler' ? conflicts(at).text : null,
    rule: rule.strategy === 'handler' ? ruled(at).text : null,
    count: sql`select count(*), count(*) filter (where d.sarrio_conflict) from ${decided} as d`.text,
    copyDecided: sql`copy ${decided} to stdout`.text,
    loadDecided: sql`copy ${decided} from stdin`.text,
    record: record(at, sync, rule).text,
    entries: entriesOfDecided(at, sync).text,
    dropKept: sql`
      delete from ${masterStage(at)} as s
      using ${decided} as d
      where d.sarrio_winner = (select current_setting('sarrio.member')::integer) and ${keysOfDecided(at, 's')}
    `.text,
  };
}

/** At the first member: what it has pending itself against what the second one has delivered. The same row on both sides is no conflict. */
function decide(at: MasterTarget, sync: string, rule: PlainRule | HandlerRule): Sql {
  const { table } = at;
  const { winner, decision } = winnerOf(at, rule);
  const keys = table.key.columns.map((key, place) => equals(key, ident('p', key.name), ident('s', targetKey(at)[place]?.name ?? key.name)));
  const of = sql`${lastChange(at)} as sarrio_at, bool_or(d.change_op = 'I') as sarrio_insert`;
  return sql`
    insert into ${decidedIdent(at)}
    select ${keyList(table, 'c')}, case when c.sarrio_conflict then gen_random_uuid() end, c.sarrio_conflict,
      case when c.sarrio_conflict then ${winner} else 0 end, case when c.sarrio_conflict then ${decision} end,
      c.sarrio_first_at, c.sarrio_first_op, c.sarrio_second_at, c.sarrio_second_op
    from (
      select ${keyList(table, 'p')}, p.sarrio_at as sarrio_first_at, s.sarrio_at as sarrio_second_at,
        ${operation(dangerousRaw('t.tableoid is not null'), 'p')} as sarrio_first_op,
        ${operation(dangerousRaw('s.sarrio_present'), 's')} as sarrio_second_op,
        case when t.tableoid is null or not s.sarrio_present then t.tableoid is not null or s.sarrio_present else not (${sameTexts(at)}) end as sarrio_conflict
      from (
        ${pendingByKey(table, sync, { of, from: dangerousRaw(''), hasNames: false })}
      ) as p
      join ${masterStage(at)} as s on ${join(keys, ' and ')}
      left join ${currentRows(table)} as t on ${sameKey(table, 't', 'p')}
    ) as c
  `;
}

function operation(isPresent: Sql, pending: 'p' | 's'): Sql {
  return sql`case when not (${isPresent}) then 'delete' when ${ident(pending, 'sarrio_insert')} then 'insert' else 'update' end`;
}

function winnerOf(at: MasterTarget, rule: PlainRule | HandlerRule): { readonly winner: Sql; readonly decision: Sql } {
  if (rule.strategy === 'handler') return { winner: dangerousRaw('null::integer'), decision: dangerousRaw('null') };
  const [first, second] = namesOf(at);
  const isSecond = secondWins(at, rule);
  return {
    winner: sql`case when ${isSecond} then 1 else 0 end`,
    decision: sql`concat('take ', case when ${isSecond} then ${second} else ${first} end)`,
  };
}

/** At the same microsecond the first one, as everywhere. */
function secondWins({ databases }: MasterTarget, rule: PlainRule): Sql {
  if (rule.strategy === 'last-update-wins') return dangerousRaw('c.sarrio_second_at > c.sarrio_first_at');
  if (rule.strategy === 'first-update-wins') return dangerousRaw('c.sarrio_second_at < c.sarrio_first_at');
  const versions = databases.map((_, member) => ({ member, pendingAt: 1, at: 0n, op: 'update', image: String(member), names: null }) as const);
  const decision = decidePlainly({ candidates: versions, databases }, rule);
  return dangerousRaw(String(decision.kind === 'take' && decision.member === 1));
}

/** The values as the server writes them, null told from every text. */
function sameTexts(at: MasterTarget): Sql {
  const pairs = columnsOf(at).map((column) => {
    return sql`format('%L', ${written('t', column)}) collate "C" = format('%L', ${written('s', column)}) collate "C"`;
  });
  return join(pairs, ' and ');
}

function written(alias: string, { name, type }: ColumnSchema): Sql {
  return isXml(type) ? sql`${ident(alias, name)}::text${dangerousRaw(type.slice('xml'.length))}` : ident(alias, name);
}

function namesOf({ databases }: MasterTarget): readonly [Sql, Sql] {
  const [first, second] = databases.map(literal);
  if (first === undefined || second === undefined) throw new Error('a sync without members');
  return [first, second];
}

/** For a handler, in the order of the keys: id, key as JSON array, time and operation of the first one and of the second, the row of the first, the row of the second. */
function conflicts(at: MasterTarget): Sql {
  const keyNames = new Set(targetKey(at).map(({ name }) => name));
  const own = columnsOf(at).map((column) =>
    keyNames.has(column.name) ? sql`coalesce(${ident('t', column.name)}, ${ident('d', column.name)})` : written('t', column),
  );
  const arrived = columnsOf(at).map((column) => written('s', column));
  const keys = [...keyNames].map((name) => ident('d', name));
  return sql`
    select d.sarrio_id, json_build_array(${join(
      keys.map((key) => sql`concat(${key})`),
      ', ',
    )}), d.sarrio_first_at, d.sarrio_first_op, d.sarrio_second_at, d.sarrio_second_op, ${join([...own, ...arrived], ', ')}
    from ${decidedIdent(at)} as d
    join ${masterStage(at)} as s on ${keysOfDecided(at, 's')}
    left join ${targetRows(at)} as t on ${sameTargetKey(at)}
    where d.sarrio_conflict
    order by ${join(keys, ', ')}
  `;
}

/** What a handler has said of conflicts by id. */
function ruled(at: MasterTarget): Sql {
  return sql`
    update ${decidedIdent(at)} as d
    set sarrio_winner = r.winner, sarrio_decision = r.decision
    from pg_temp.sarrio_ruled as r
    where d.sarrio_id = r.id
  `;
}

/** Before anything is written: the own row still stands in the table, the other one's in the stage. */
function record(at: MasterTarget, sync: string, rule: PlainRule | HandlerRule): Sql {
  const [first, second] = namesOf(at);
  const key = targetKey(at).map(({ name }) => [literal(name), sql`concat(${ident('d', name)})`] as const);
  const version = (database: Sql, which: 'first' | 'second', row: string): Sql => {
    const masked = at.mask.length === 0 ? dangerousRaw('') : sql`, 'masked', jsonb_build_array(${join(at.mask.map(literal), ', ')})`;
    return sql`jsonb_build_object('database', ${database}, 'at', ${ident('r', `sarrio_${which}_at`)}::text, 'op', ${ident('r', `sarrio_${which}_op`)}, 'row', ${dangerousRaw(row)}${masked})`;
  };
  const pair = (one: string, other: string): Sql => sql`
    jsonb_build_array(
      ${version(first, 'first', one)},
      ${version(second, 'second', other)}
    )
  `;
  return sql`
    insert into sarrio.conflict (id, sync, relation, key, kind, strategy, decision, versions)
    select r.sarrio_id, ${literal(sync)}, ${literal(displayName(at.table.targetName))}, r.sarrio_key, concat(r.sarrio_first_op, '/', r.sarrio_second_op), ${literal(rule.strategy)},
      r.sarrio_decision,
      case when (select current_setting('sarrio.member')) = '0' then ${pair('r.sarrio_own', 'r.sarrio_arrived')} else ${pair('r.sarrio_arrived', 'r.sarrio_own')} end
    from (
      select d.sarrio_id, d.sarrio_decision, d.sarrio_first_at, d.sarrio_first_op, d.sarrio_second_at, d.sarrio_second_op,
        jsonb_object(array[${join(
          key.map(([name]) => name),
          ', ',
        )}], array[${join(
          key.map(([, value]) => value),
          ', ',
        )}]) as sarrio_key,
        case when t.tableoid is not null then ${rowJson(at, 't')} end as sarrio_own,
        case when s.sarrio_present then ${rowJson(at, 's')} end as sarrio_arrived
      from ${decidedIdent(at)} as d
      join ${masterStage(at)} as s on ${keysOfDecided(at, 's')}
      left join ${targetRows(at)} as t on ${sameTargetKey(at)}
      where d.sarrio_conflict and not s.sarrio_settled
      offset 0
    ) as r
  `;
}

function rowJson(at: MasterTarget, alias: string): Sql {
  const columns = columnsOf(at);
  const values = columns.map((column) => (at.mask.includes(column.name) ? literal(MASK) : textOf(alias, column)));
  const names = columns.map(({ name }) => literal(name));
  return sql`jsonb_object(array[${join(names, ', ')}], array[${join(values, ', ')}]::text[])`;
}

/** As the server writes it. A composite value of nulls alone is a value. */
function textOf(alias: string, column: ColumnSchema): Sql {
  if (/^(text|character varying)(\(\d+\))?$/.test(column.type)) return sql`${ident(alias, column.name)}::text`;
  const value = written(alias, column);
  const isValue = isOwnType(column.type) ? sql`num_nonnulls(${value}) = 1` : sql`${value} is not null`;
  return sql`case when ${isValue} then concat(${value}) end`;
}

/** Each decision is a change of its own at every member; where the row stays as it is, only for the other one of this sync. */
function entriesOfDecided(at: MasterTarget, sync: string): Sql {
  const { delta, current } = objectNames(at.table.targetName);
  const keys = targetKey(at).map(({ name }) => name);
  const segment = sql`coalesce(pg_sequence_last_value(${literal(`sarrio.${ident(current).text}`)}::regclass), 1)`;
  return sql`
    insert into ${ident('sarrio', delta)} (${dangerousRaw(keys.map((key) => ident(key).text).join(', '))}, change_xid, change_at, change_op, change_segment, change_sync)
    select ${join(
      keys.map((key) => ident('d', key)),
      ', ',
    )}, pg_current_xact_id(),
      '1970-01-01 00:00:00+00'::timestamptz + case when d.sarrio_winner = 0 then d.sarrio_first_at else d.sarrio_second_at end * interval '1 microsecond',
      case when case when d.sarrio_winner = 0 then d.sarrio_first_op else d.sarrio_second_op end = 'delete' then 'D' else 'U' end::"char", ${segment},
      case when d.sarrio_winner = (select current_setting('sarrio.member')::integer) then ${literal(`=${sync}`)} end
    from ${decidedIdent(at)} as d
    where d.sarrio_conflict and d.sarrio_winner is not null
  `;
}
