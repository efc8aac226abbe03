import { MASK } from '../../../conflict/mask.ts';
import type { ConflictRule, HandlerRule, PlainRule } from '../../../plan/conflict-rule.ts';
import type { DecideStatements } from '../../../plan/plan-masters.ts';
import { displayName, ident, literal } from '../../../sql/quote.ts';
import { dangerousRaw, empty, join, type Sql, sql } from '../../../sql/sql.ts';
import { objectNames } from '../../2-model/object-names.ts';
import { equals } from '../objects/capture.sql.ts';
import { columnsOf, sameTargetKey, targetKey, targetRows } from './apply.sql.ts';
import {
  decidedIdent,
  isDecidedInPlace,
  isMerged,
  keysOfDecided,
  memberNames,
  operation,
  plainWinner,
  sameText,
  takesOne,
  textOf,
  written,
} from './masters-decided.sql.ts';
import { decideMerged, type MergedTarget, mergeDecided } from './masters-merged.sql.ts';
import { keyList, lastChange, pendingByKey } from './masters-pending.sql.ts';
import { masterStage } from './masters-read.sql.ts';
import { currentRows, sameKey } from './pending.sql.ts';
import type { MasterTarget } from './master-target.ts';

/**
 * Purpose: decides many contested keys of two members where their rows stand, by a rule that takes one version as it is, or shows them to a
 * handler; for rules that merge see `masters-merged.sql.ts`. Says in SQL what `conflict/settle.ts` says of two versions;
 * `test/masters/many.test.ts` holds one against the other.
 * Reads: the table, its delta table, the stage with what the other one has delivered. Writes: temporary tables, the delta table,
 * sarrio.conflict. Called by: `masterStatements`.
 */
export function decideStatements(at: MasterTarget, sync: string): DecideStatements | null {
  const { rule } = at;
  if (!isDecidedInPlace(at)) return null;
  const decided = decidedIdent(at);
  const isKept = sql`d.sarrio_winner = (select current_setting('sarrio.member')::integer)`;
  const merged = isMerging(at) ? at : null;
  return {
    decide: decideBy(at, sync).text,
    conflicts: rule.strategy === 'handler' ? conflicts(at).text : null,
    rule: rule.strategy === 'handler' ? ruled(at).text : null,
    count:
      sql`select count(*), count(*) filter (where d.sarrio_conflict)${dangerousRaw(merged === null ? '' : ', count(*) filter (where d.sarrio_odd)')} from ${decided} as d`
        .text,
    copyDecided: sql`copy ${decided} to stdout`.text,
    loadDecided: sql`copy ${decided} from stdin`.text,
    record: record(at, sync, rule).text,
    entries: merged === null ? entriesOfDecided(at, sync).text : null,
    merge: merged === null ? null : mergeDecided(merged).text,
    dropKept: sql`
      delete from ${masterStage(at)} as s
      using ${decided} as d
      where ${isKept} and ${keysOfDecided(at, 's')}${dangerousRaw(merged === null ? '' : ' and not d.sarrio_conflict')}
    `.text,
    clear: sql`truncate ${masterStage(at)}, ${decided}`.text,
  };
}

function decideBy(at: MasterTarget, sync: string): Sql {
  if (isMerging(at)) return decideMerged(at, sync);
  if (takesOne(at.rule)) return decide(at, sync, at.rule);
  throw new Error(`${at.rule.strategy} is not decided in place`);
}

function isMerging(at: MasterTarget): at is MergedTarget {
  return isMerged(at);
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

function winnerOf(at: MasterTarget, rule: PlainRule | HandlerRule): { readonly winner: Sql; readonly decision: Sql } {
  if (rule.strategy === 'handler') return { winner: dangerousRaw('null::integer'), decision: dangerousRaw('null') };
  const [first, second] = memberNames(at);
  const winner = plainWinner(at, rule);
  return { winner, decision: sql`concat('take ', case when ${winner} = 1 then ${second} else ${first} end)` };
}

function sameTexts(at: MasterTarget): Sql {
  return join(
    columnsOf(at).map((column) => sameText(column)),
    ' and ',
  );
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

/**
 * Before anything is written: the own row still stands in the table, the other one's in the stage. The versions are made as rows of texts, and
 * converted once: JSON that is put together of parts is written again by each of them.
 */
function record(at: MasterTarget, sync: string, rule: ConflictRule): Sql {
  const key = targetKey(at).map(({ name }) => sql`concat(${ident('d', name)}) as ${ident(name)}`);
  return sql`
    insert into sarrio.conflict (id, sync, relation, key, kind, strategy, decision, versions)
    select d.sarrio_id, ${literal(sync)}, ${literal(displayName(at.table.targetName))}, to_jsonb(sarrio_key), concat(d.sarrio_first_op, '/', d.sarrio_second_op),
      ${literal(rule.strategy)}, d.sarrio_decision, to_jsonb(array[sarrio_first, sarrio_second])
    from ${decidedIdent(at)} as d
    join ${masterStage(at)} as s on ${keysOfDecided(at, 's')}
    left join ${targetRows(at)} as t on ${sameTargetKey(at)}
    cross join lateral (select ${join(key, ', ')}) as sarrio_key
    cross join lateral (select ${rowTexts(at, 't')}) as sarrio_own
    cross join lateral (select ${rowTexts(at, 's')}) as sarrio_arrived
    cross join lateral (select ${version(at, 'first')}) as sarrio_first
    cross join lateral (select ${version(at, 'second')}) as sarrio_second
    where d.sarrio_conflict and not s.sarrio_settled
  `;
}

/** In the order in which JSON keeps its names, so that nothing has to be sorted. */
function version(at: MasterTarget, which: 'first' | 'second'): Sql {
  const place = which === 'first' ? 0 : 1;
  const masked = at.mask.length === 0 ? empty : sql`array[${join(at.mask.map(literal), ', ')}] as masked, `;
  return sql`
    ${ident('d', `sarrio_${which}_at`)}::text as "at", ${ident('d', `sarrio_${which}_op`)} as op,
      case
        when (select current_setting('sarrio.member')) <> ${literal(String(place))} then case when s.sarrio_present then sarrio_arrived end
        when t.tableoid is not null then sarrio_own
      end as "row", ${masked}${memberNames(at)[place] ?? empty} as database
  `;
}

function rowTexts(at: MasterTarget, alias: string): Sql {
  const columns = [...columnsOf(at)].sort((one, other) => inJson(one.name, other.name));
  const texts = columns.map((column) => sql`${at.mask.includes(column.name) ? literal(MASK) : textOf(alias, column)} as ${ident(column.name)}`);
  return join(texts, ', ');
}

/** Shorter names come first. */
function inJson(one: string, other: string): number {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length - b.length || Buffer.compare(a, b);
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
