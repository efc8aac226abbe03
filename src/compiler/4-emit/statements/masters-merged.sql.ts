import { MASK } from '../../../conflict/mask.ts';
import type { ColumnsRule, CountersRule } from '../../../plan/conflict-rule.ts';
import { lastRule } from '../../../plan/conflict-rule.ts';
import { ident, literal } from '../../../sql/quote.ts';
import { dangerousRaw, join, type Sql, sql } from '../../../sql/sql.ts';
import type { ColumnSchema } from '../../../plan/schema-lock.ts';
import { equals } from '../objects/capture.sql.ts';
import { columnsOf, isStagedAsText, targetKey, targetRows } from './apply.sql.ts';
import { decidedIdent, keysOfDecided, memberNames, operation, plainWinner, sameText, textOf } from './masters-decided.sql.ts';
import { pendingChanges } from './masters-changes.sql.ts';
import { keyList } from './masters-pending.sql.ts';
import { masterStage } from './masters-read.sql.ts';
import { currentRows, sameKey } from './pending.sql.ts';
import type { MasterTarget } from './master-target.ts';

/**
 * Purpose: decides many contested keys of two members by a rule that merges, where their rows stand. Says in SQL what
 * `conflict/strategies/columns.ts` and `counters.ts` say of two versions; `test/masters/many-merged.test.ts` holds one against the other.
 * Reads: the table, its delta table, the stage with what the other one has delivered. Writes: temporary tables. Called by: `masters-decide.sql.ts`.
 *
 * Between two, everything that is pending here is what the other one lacks, so that which changes a row lacks needs no asking.
 */
export type MergedTarget = MasterTarget & { readonly rule: ColumnsRule | CountersRule };

/** At the first member, level by level: what is there, what is the same, which columns come from where, what is added. */
export function decideMerged(at: MergedTarget, sync: string): Sql {
  const [first, second] = memberNames(at);
  const keys = keyList(at.table, 'c');
  const rest = sql`
    select c.*, coalesce(c.sarrio_whole, 0) as sarrio_base,
      ${restNote(at)} as sarrio_note
    from (
      ${wholes(at, levelTaken(at, sync))}
    ) as c
    offset 0
  `;
  const isMerge = sql`(c.sarrio_whole is null or c.sarrio_totals is not null)`;
  return sql`
    insert into ${decidedIdent(at)}
    select ${keys}, case when c.sarrio_conflict then gen_random_uuid() end, c.sarrio_conflict, case when c.sarrio_conflict then c.sarrio_base else 0 end,
      case
        when not c.sarrio_conflict then null
        when ${isMerge} then concat('merge (', concat_ws(', ', c.sarrio_note${countNotes(at)}), ')')
        else concat('take ', case when c.sarrio_base = 1 then ${second} else ${first} end)
      end,
      c.sarrio_first_at, c.sarrio_first_op, c.sarrio_second_at, c.sarrio_second_op,
      c.sarrio_odd or ${isOutOfRange(at)}, case when c.sarrio_conflict and c.sarrio_whole is null then c.sarrio_taken end, case when c.sarrio_conflict then c.sarrio_totals end
    from (
      ${totals(at, rest)}
    ) as c
  `;
}

function countersOf({ rule }: MergedTarget): readonly string[] {
  return rule.strategy === 'counters' ? rule.counters : [];
}

function isByColumns({ rule }: MergedTarget): boolean {
  return rule.strategy === 'columns' || rule.otherwise.strategy === 'columns';
}

function element(of: string, place: number): Sql {
  return dangerousRaw(`${of}[${place + 1}]`);
}

/** Whether the values of a column are the same. */
function same(place: number): Sql {
  return element('c.sarrio_same', place);
}

/** The keys that both have changed, with what each of the two holds. */
function levelHeld(at: MergedTarget, sync: string): Sql {
  const { table } = at;
  const keys = table.key.columns.map((key, place) => equals(key, ident('p', key.name), ident('s', targetKey(at)[place]?.name ?? key.name)));
  const counts = (alias: string): Sql =>
    join(
      columnsOf(at)
        .filter(({ name }) => countersOf(at).includes(name))
        .map((column) => sql`${ident(alias, column.name)}::text`),
      ', ',
    );
  const sames = columnsOf(at).map((column) => sql`t.tableoid is null or ${sameText(column)}`);
  return sql`
    select ${keyList(table, 'p')}, p.sarrio_at as sarrio_first_at, s.sarrio_at as sarrio_second_at,
      ${operation(dangerousRaw('t.tableoid is not null'), 'p')} as sarrio_first_op,
      ${operation(dangerousRaw('s.sarrio_present'), 's')} as sarrio_second_op,
      t.tableoid is not null as sarrio_first_here, s.sarrio_present as sarrio_second_here,
      p.sarrio_cut as sarrio_first_cut, s.sarrio_cut as sarrio_second_cut,
      (p.sarrio_adds and not p.sarrio_cut) or (s.sarrio_adds and not s.sarrio_cut) as sarrio_adds, p.sarrio_odd or s.sarrio_odd as sarrio_odd,
      p.sarrio_amounts as sarrio_first_amounts, s.sarrio_amounts as sarrio_second_amounts,
      p.sarrio_changed as sarrio_first_changed, s.sarrio_changed as sarrio_second_changed,
      array[${counts('t')}]::text[] as sarrio_first_counts, array[${counts('s')}]::text[] as sarrio_second_counts,
      array[${join(sames, ', ')}] as sarrio_same
    from (
      ${pendingChanges(at, sync)}
    ) as p
    join ${masterStage(at)} as s on ${join(keys, ' and ')}
    left join ${currentRows(table)} as t on ${sameKey(table, 't', 'p')}
    offset 0
  `;
}

/** Whether it is a conflict, whether the two have a row in common, and what the second rule says. */
function levelJudged(at: MergedTarget, sync: string): Sql {
  return sql`
    select c.*, c.sarrio_first_here <> c.sarrio_second_here or (c.sarrio_first_here and false = any (c.sarrio_same))${dangerousRaw(at.rule.strategy === 'counters' ? ' or c.sarrio_adds' : '')} as sarrio_conflict,
      c.sarrio_first_here and c.sarrio_second_here and not c.sarrio_first_cut and not c.sarrio_second_cut as sarrio_common,
      ${plainWinner(at, lastRule(at.rule))} as sarrio_plain
    from (
      ${levelHeld(at, sync)}
    ) as c
    offset 0
  `;
}

/** By column, whether it comes from the second one; null where the row is taken as a whole. */
function levelTaken(at: MergedTarget, sync: string): Sql {
  const taken = columnsOf(at).map(({ name }, place) => {
    if (countersOf(at).includes(name)) return dangerousRaw('false');
    const [first, second] = [element('c.sarrio_first_changed', place), element('c.sarrio_second_changed', place)];
    return sql`case when ${first} = ${second} then not ${same(place)} and c.sarrio_plain = 1 else ${second} end`;
  });
  return sql`
    select c.*, ${isByColumns(at) ? sql`case when c.sarrio_common then array[${join(taken, ', ')}] end` : dangerousRaw('null::boolean[]')} as sarrio_taken
    from (
      ${levelJudged(at, sync)}
    ) as c
    offset 0
  `;
}

/** The member whose row is taken, or null where the row is none of the two. */
function wholes(at: MergedTarget, from: Sql): Sql {
  const all = (condition: (place: number) => Sql, places: readonly number[]): Sql =>
    places.length === 0 ? dangerousRaw('true') : sql`(${join(places.map(condition), ' and ')})`;
  const places = columnsOf(at).map((_, place) => place);
  const taken = (place: number): Sql => element('c.sarrio_taken', place);
  const isFirst = all((place) => sql`(not ${taken(place)} or ${same(place)})`, places);
  const isSecond = all((place) => sql`(${taken(place)} or ${same(place)})`, places);
  const uncounted = places.filter((place) => !countersOf(at).includes(columnsOf(at)[place]?.name ?? ''));
  const isSameRest = sql`c.sarrio_common and ${all(same, uncounted)}`;
  const whole = isByColumns(at)
    ? sql`case when c.sarrio_taken is null then c.sarrio_plain when ${isFirst} then 0 when ${isSecond} then 1 end`
    : sql`case when ${isSameRest} then 0 else c.sarrio_plain end`;
  return sql`
    select c.*, ${whole} as sarrio_whole
    from (
      ${from}
    ) as c
    offset 0
  `;
}

/** What the record says of the row before anything is added to it. */
function restNote(at: MergedTarget): Sql {
  const [first, second] = memberNames(at);
  const of = columnsOf(at).map(
    ({ name }, place) =>
      sql`case when not ${same(place)} then concat(${literal(`${name} of `)}, case when ${element('c.sarrio_taken', place)} then ${second} else ${first} end) end`,
  );
  return sql`
    case c.sarrio_whole
      when 0 then concat('row of ', ${first})
      when 1 then concat('row of ', ${second})
      else concat_ws(', ', ${join(of, ', ')})
    end
  `;
}

/** What the other one has added goes to the row of the base, unless one of the two numbers is none that can be added to. */
function totals(at: MergedTarget, from: Sql): Sql {
  const counters = countersOf(at);
  if (counters.length === 0) return sql`select c.*, null::text[] as sarrio_totals from (${from}) as c`;
  const each = counters.map((_, place) => {
    const [own, amount] = [element('c.sarrio_counts', place), element('c.sarrio_amounts', place)];
    return sql`case when ${amount} <> 0 and ${isNumber(sql`${amount}::text`)} and ${isNumber(sql`coalesce(${own}, '0')`)} then (coalesce(${own}, '0')::numeric + ${amount})::text end`;
  });
  return sql`
    select c.*, case when num_nonnulls(variadic c.sarrio_sums) > 0 then c.sarrio_sums end as sarrio_totals
    from (
      select c.*, array[${join(each, ', ')}] as sarrio_sums
      from (
        select c.*, case when c.sarrio_base = 0 then c.sarrio_first_counts else c.sarrio_second_counts end as sarrio_counts,
          case
            when c.sarrio_base = 0 and c.sarrio_first_here and c.sarrio_second_here and not c.sarrio_second_cut then c.sarrio_second_amounts
            when c.sarrio_base = 1 and c.sarrio_first_here and c.sarrio_second_here and not c.sarrio_first_cut then c.sarrio_first_amounts
          end as sarrio_amounts
        from (
          ${from}
        ) as c
        offset 0
      ) as c
      offset 0
    ) as c
    offset 0
  `;
}

function isNumber(text: Sql): Sql {
  return sql`${text} not in ('NaN', 'Infinity', '-Infinity')`;
}

function countNotes(at: MergedTarget): Sql {
  const notes = countersOf(at).map((name, place) => {
    const [own, amount, total] = [element('c.sarrio_counts', place), element('c.sarrio_amounts', place), element('c.sarrio_totals', place)];
    const text = at.mask.includes(name)
      ? literal(` ${MASK}`)
      : sql`' ', coalesce(${own}, 'null'), case when ${amount} < 0 then ' - ' else ' + ' end, abs(${amount})::text, ' = ', ${total}`;
    return sql`, case when ${total} is not null then concat(${literal(name)}, ${text}) end`;
  });
  return join(notes, '');
}

const RANGES: Readonly<Record<string, readonly [string, string]>> = {
  smallint: ['-32768', '32767'],
  integer: ['-2147483648', '2147483647'],
  bigint: ['-9223372036854775808', '9223372036854775807'],
};

/** A sum that its column cannot hold is met key by key, where the row can be named. */
function isOutOfRange(at: MergedTarget): Sql {
  const beyond = countersOf(at).flatMap((name, place) => {
    const type = columnsOf(at).find((column) => column.name === name)?.type ?? '';
    const total = sql`${element('c.sarrio_totals', place)}::numeric`;
    const range = RANGES[type];
    if (range !== undefined) return [sql`${total} not between ${dangerousRaw(range.join(' and '))}`];
    const [, precision, scale = '0'] = /^numeric\((\d+)(?:,(-?\d+))?\)$/.exec(type) ?? [];
    return precision === undefined
      ? []
      : [sql`abs(round(${total}, ${dangerousRaw(scale)})) >= 10::numeric ^ ${dangerousRaw(String(Number(precision) - Number(scale)))}`];
  });
  return beyond.length === 0 ? dangerousRaw('false') : sql`coalesce(${join(beyond, ' or ')}, false)`;
}

/** At each member: what was decided takes the place of the row that has arrived, as a change of its own. After the record, which shows both rows. */
export function mergeDecided(at: MergedTarget): Sql {
  const isSecond = sql`(select current_setting('sarrio.member') = '1')`;
  const keys = targetKey(at).map(({ name }) => name);
  const values = columnsOf(at).map((column, place) => {
    const comesFromSecond = sql`case when d.sarrio_taken is null then d.sarrio_winner = 1 else ${element('d.sarrio_taken', place)} end`;
    const value = sql`case when (${comesFromSecond}) = ${isSecond} then ${stagedOwn(at, column)} else ${ident('s', column.name)} end`;
    const counter = countersOf(at).indexOf(column.name);
    if (counter >= 0) return sql`${ident(column.name)} = coalesce(${element('d.sarrio_totals', counter)}::${dangerousRaw(column.type)}, ${value})`;
    return sql`${ident(column.name)} = ${keys.includes(column.name) ? sql`coalesce(${value}, ${ident('s', column.name)})` : value}`;
  });
  return sql`
    update ${masterStage(at)} as s
    set sarrio_present = case when d.sarrio_winner = 1 then d.sarrio_second_op else d.sarrio_first_op end <> 'delete',
      sarrio_at = case
        when d.sarrio_taken is not null or d.sarrio_totals is not null then greatest(d.sarrio_first_at, d.sarrio_second_at)
        when d.sarrio_winner = 1 then d.sarrio_second_at
        else d.sarrio_first_at
      end,
      sarrio_fresh = true,
      sarrio_carried = '[]',
      ${join(values, ',\n  ')}
    from ${decidedIdent(at)} as d
    left join ${targetRows(at)} as t on ${keysOfDecided(at, 't')}
    where d.sarrio_conflict and ${keysOfDecided(at, 's')}
  `;
}

function stagedOwn(at: MergedTarget, column: ColumnSchema): Sql {
  return isStagedAsText(at, column) ? textOf('t', column) : ident('t', column.name);
}
