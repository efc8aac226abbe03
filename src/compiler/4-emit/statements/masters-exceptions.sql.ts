import { ident } from '../../../sql/quote.ts';
import { dangerousRaw, foreignExpression, join, type Sql, sql } from '../../../sql/sql.ts';
import type { ExceptionStatements, InTheWay } from '../../../plan/plan-masters.ts';
import type { IndexSchema, TableSchema } from '../../../plan/schema-lock.ts';
import { uniqueBeside } from '../../2-model/unique-indexes.ts';
import { operator } from '../objects/capture.sql.ts';
import { columnsOf, isStagedAsText, targetKey, targetRows } from './apply.sql.ts';
import { lastChange, pendingByKey } from './masters-pending.sql.ts';
import { masterStage, wantedKeys } from './masters-read.sql.ts';
import { changedRows, sameKeys } from './masters-write.sql.ts';
import { sameKey } from './pending.sql.ts';
import type { MasterTarget } from './master-target.ts';

/**
 * Purpose: what a handler of exceptions is told of a row that a member does not take, and the rows that it changes.
 * Reads: a JSON parameter or the stage, the table, its delta table. Writes: nothing. Called by: `masterStatements`.
 *
 * `tables` are the members' own: an index may stand at one of them only. Null where the table has no handler itself.
 */
export function exceptionStatements(at: MasterTarget, sync: string, tables: Readonly<Record<string, TableSchema>> | null): ExceptionStatements {
  const staged = masterStage(at);
  return {
    outcome: {
      ofRows: sql`
        with ${changedRows(at)}
        ${outcome(at, dangerousRaw('changed'), '$2')}
      `.text,
      ofStage: outcome(at, staged, '$1').text,
    },
    changes: changesOfKeys(at, sync).text,
    stage: sql`
      select s.sarrio_present, ${columnTexts(at, 's')}
      from ${staged} as s
    `.text,
    inTheWay: tables === null ? [] : inTheWay(at, tables),
  };
}

/** What will stand here once what was set aside is written. */
function outcome(at: MasterTarget, changed: Sql, parameter: string): Sql {
  const columns = columnsOf(at).map(({ name }) => sql`case when c.sarrio_present is null then ${textOf('t', name)} else ${textOf('c', name)} end`);
  return sql`
    select coalesce(c.sarrio_present, t.tableoid is not null), ${join(columns, ', ')}
    from (
      ${wantedKeys(at.table, parameter)}
    ) as p
    left join ${changed} as c on ${sameKeys(at, 'c', 'p')}
    left join ${targetRows(at)} as t on ${sameKeys(at, 't', 'p')}
    order by p.place
  `;
}

/** Of the keys in $1. */
function changesOfKeys(at: MasterTarget, sync: string): Sql {
  const { table } = at;
  const of = sql`${lastChange(at)} as sarrio_at, bool_or(d.change_op = 'I') as sarrio_has_insert`;
  return sql`
    select d.sarrio_at, d.sarrio_has_insert
    from (
      ${wantedKeys(table, '$1')}
    ) as p
    left join (
      ${pendingByKey(table, sync, { of, from: dangerousRaw(''), hasNames: false })}
    ) as d on ${sameKey(table, 'd', 'p')}
    order by p.place
  `;
}

function inTheWay(at: MasterTarget, tables: Readonly<Record<string, TableSchema>>): readonly InTheWay[] {
  const found = new Map<string, { readonly index: string; readonly members: string[]; readonly ofRows: string; readonly ofStage: string }>();
  for (const [member, table] of Object.entries(tables)) {
    for (const index of indexesOf(at, table)) {
      const made = {
        index: index.name,
        members: [],
        ofRows: sql`
          with ${changedRows(at)}
          ${pairs(at, index, dangerousRaw('changed'))}
        `.text,
        ofStage: pairs(at, index, masterStage(at)).text,
      };
      const known = found.get(JSON.stringify(made)) ?? made;
      found.set(JSON.stringify(made), known);
      known.members.push(member);
    }
  }
  return [...found.values()];
}

/** Every index by which rows of different keys can exclude each other; not those of generated columns, which do not travel, and whose values only the server knows. */
function indexesOf(at: MasterTarget, table: TableSchema): readonly IndexSchema[] {
  const plain = uniqueBeside(table, at.table.key).map(
    ({ name, columns }): IndexSchema => ({
      name,
      definition: '',
      parts: columns.map(({ name: column, equality, input }) => ({
        expression: input === undefined ? ident(column).text : `${ident(column).text}::${input}`,
        operator: equality,
      })),
    }),
  );
  const generated = table.columns.filter((column) => column.generated !== 'none');
  const isUnseen = ({ parts = [], where = '' }: IndexSchema): boolean => {
    const text = [...parts.map(({ expression }) => expression), where].join(' ');
    return parts.length === 0 || generated.some(({ name }) => text.includes(name));
  };
  return [...plain, ...(table.otherUnique ?? []), ...(table.exclusions ?? [])].filter((index) => !isUnseen(index));
}

/** Rows that arrive, each with one that stays or arrives as well. */
function pairs(at: MasterTarget, index: IndexSchema, changed: Sql): Sql {
  const arriving = indexed(at, index, sql`(select sarrio_present, sarrio_at, ${typed(at)} from ${changed} as v)`);
  const keys = columnsOf(at).filter(({ name }) => targetKey(at).some((key) => key.name === name));
  const texts = (alias: string): Sql =>
    sql`json_build_array(${join(
      keys.map(({ name }) => textOf(alias, name)),
      ', ',
    )}), json_build_array(${columnTexts(at, alias)})`;
  return sql`
    select ${texts('s')}, s.sarrio_at, ${texts('t')}
    from ${arriving} as s
    join ${indexed(at, index, targetRows(at))} as t on ${excludes(index)}
    where s.sarrio_present
      and not exists (select from ${changed} as w where ${sameKeys(at, 'w', 't')})
    union all
    select ${texts('s')}, s.sarrio_at, ${texts('t')}
    from ${arriving} as s
    join ${arriving} as t on ${excludes(index)} and not (${sameKeys(at, 's', 't')})
    where s.sarrio_present and t.sarrio_present
  `;
}

/** Names in an index's expressions are those of the only table there. */
function indexed(at: MasterTarget, { parts = [], where }: IndexSchema, rows: Sql): Sql {
  const values = parts.map(({ expression }, place) => sql`${foreignExpression(expression)} as ${dangerousRaw(`sarrio_part_${place}`)}`);
  const own = rows.text.startsWith('(') ? 'sarrio_present, sarrio_at, ' : '';
  return sql`
    (
      select ${dangerousRaw(own)}${join(
        columnsOf(at).map(({ name }) => ident('r', name)),
        ', ',
      )}, ${join(values, ', ')}
      ${join([sql`from ${rows} as r`, ...(where === undefined ? [] : [sql`where ${foreignExpression(where)}`])], '\n')}
    )
  `;
}

function excludes({ parts = [], nullsEqual }: IndexSchema): Sql {
  const pairsOf = parts.map((part, place) => {
    const [here, there] = [dangerousRaw(`s.sarrio_part_${place}`), dangerousRaw(`t.sarrio_part_${place}`)];
    const same = sql`${here} ${operator(part.operator)} ${there}`;
    return nullsEqual === true ? sql`(${same} or (${here} is null and ${there} is null))` : same;
  });
  return join(pairsOf, ' and ');
}

/** Columns of what was set aside with their own types: those of users' types wait as text. */
function typed(at: MasterTarget): Sql {
  const columns = columnsOf(at).map((column) => {
    const value = ident('v', column.name);
    return isStagedAsText(at, column) ? sql`${value}::${dangerousRaw(column.type)} as ${ident(column.name)}` : value;
  });
  return join(columns, ', ');
}

function columnTexts(at: MasterTarget, alias: string): Sql {
  return join(
    columnsOf(at).map(({ name }) => textOf(alias, name)),
    ', ',
  );
}

function textOf(alias: string, name: string): Sql {
  return sql`${ident(alias, name)}::text`;
}
