import { dollarQuote, ident, literal } from '../../../sql/quote.ts';
import { byTexts, dangerousRaw, join, type Sql, sql } from '../../../sql/sql.ts';
import type { KeyColumn } from '../../../plan/schema-lock.ts';
import type { ObjectNames } from '../../2-model/object-names.ts';
import { oncePer } from '../once-per.ts';
import { unlessApplying } from './unless-applying.sql.ts';
import { type CapturedKey, onlyOfSameTypes } from './same-types.sql.ts';

/** What the capture functions of one table need to know. */
export type CaptureTarget = {
  readonly names: ObjectNames;
  readonly key: readonly CapturedKey[];
  /** Key columns of users' types: a domain may refuse the null that stands for no key. */
  readonly ownTypes: readonly string[];
  /** Syncs that read this capture, with their wake sequences, ordered by name. */
  readonly wakes: readonly { readonly sync: string; readonly sequence: string }[];
  readonly captureTriggers: 'origin' | 'always';
};

/**
 * Purpose: trigger functions that write the keys of changed rows into the delta table's current segment.
 * Reads: the statement's transition table or row, two sequences. Writes: the delta table. Called by: the triggers of `triggers.sql.ts`.
 *
 * They run as their owner in whatever session the application has, so every name, operator and type is qualified: a hostile
 * search_path changes nothing, and no `set search_path` clause is needed, which would cost more than the rest of the function.
 * Key columns are always read through an alias, and a bare name is a variable even where the table has a column of that name.
 */
export function statementCapture(target: CaptureTarget): Sql {
  return captureFunction(
    target.names.capture,
    target,
    sql`
    if tg_op operator(pg_catalog.=) 'TRUNCATE' then
      ${truncateEntry(target)}
    ${bySegment('els', (segment) => firstKeys({ target, segment, op: OPERATION }))}
    end if;
    ${bulkKeys(target, OPERATION)}
    ${wakeWhenCaptured(target)}
    return null;
  `,
    BULK_VARIABLES,
  );
}

/**
 * UPDATE of a partitioned table and its partitions: new keys, then old keys that no new row has. A row that moves to another
 * partition fires no row trigger for UPDATE, so the comparison is made over the whole statement.
 */
export function partitionedUpdateCapture(target: CaptureTarget): Sql {
  const columns = (alias: string) =>
    join(
      target.key.map(({ name }) => ident(alias, name)),
      ', ',
    );
  const gone = sql`
    from (
      select ${columns('before')}
      from old_rows as before
      except
      select ${columns('changed')}
      from changed_rows as changed
    ) as gone
  `;
  return captureFunction(
    target.names.captureKey,
    target,
    sql`
    ${bySegment('', (segment) => firstKeys({ target, segment, op: literal('U') }))}
    end if;
    ${bulkKeys(target, literal('U'))}
    ${bySegment('', (segment) => keysFrom({ target, segment, from: gone, alias: 'gone', op: literal('D') }))}
    end if;
    ${wakeWhenCaptured(target)}
    return null;
  `,
    BULK_VARIABLES,
  );
}

/** The old key of a row whose key changed; fired for such rows only. */
export function keyCapture(target: CaptureTarget): Sql {
  return captureFunction(
    target.names.captureKey,
    target,
    sql`
    ${bySegment('', (segment) => keyOf({ target, segment, record: 'old', op: literal('D') }))}
    end if;
    return null;
  `,
  );
}

/** Row form for tables of an inheritance hierarchy, where a statement on the parent fires only the parent's statement triggers. */
export function rowCapture(target: CaptureTarget): Sql {
  const forRow = (segment: number) => sql`
    if tg_op operator(pg_catalog.<>) 'DELETE' then
      ${keyOf({ target, segment, record: 'new', op: OPERATION })}
    end if;
    if tg_op operator(pg_catalog.=) 'DELETE' or (tg_op operator(pg_catalog.=) 'UPDATE' and ${keyChanged(target.key)}) then
      ${keyOf({ target, segment, record: 'old', op: literal('D') })}
    end if;
  `;
  return captureFunction(
    target.names.capture,
    target,
    sql`
    if tg_op operator(pg_catalog.=) 'TRUNCATE' then
      ${truncateEntry(target)}
    ${bySegment('els', forRow)}
    end if;
    ${markFilled(target)}
    ${wake(target)}
    return null;
  `,
  );
}

/** True when a row's key is another one by the index's own equality. Keys are never null. */
export function keyChanged(key: readonly KeyColumn[]): Sql {
  const equal = key.map((column) => equals(column, ident('old', column.name), ident('new', column.name)));
  return sql`not (${join(equal, ' and ')})`;
}

/** Two values of a key column, compared by its index's own operator and as the type that it takes. */
export function equals({ equality, input }: Pick<KeyColumn, 'equality' | 'input'>, left: Sql, right: Sql): Sql {
  const as = input === undefined ? '' : `::${input}`;
  return dangerousRaw(`${left.text}${as} ${operator(equality).text} ${right.text}${as}`);
}

/** An operator by its schema. */
export function operator({ schema, name }: KeyColumn['equality']): Sql {
  return operators(schema, name);
}

const operators = byTexts((schema, name) => dangerousRaw(`operator(${ident(schema).text}.${name})`));

const OPERATION = dangerousRaw('pg_catalog.left(tg_op, 1)::pg_catalog."char"');
/** Rows of one statement whose entries are all in the index. */
export const BULK_AFTER = dangerousRaw('10000');
const BULK_VARIABLES = [sql`captured pg_catalog.int8;`, sql`bulk pg_catalog.int8;`];
const STAMP = dangerousRaw('pg_catalog.pg_current_xact_id(), pg_catalog.clock_timestamp()');
/** The same, called once for all rows: worth its start only where there are many. */
const STAMP_ONCE = dangerousRaw('(select pg_catalog.pg_current_xact_id()), (select pg_catalog.clock_timestamp())');

function captureFunction(name: string, target: CaptureTarget, body: Sql, variables: readonly Sql[] = []): Sql {
  const current = literal(`sarrio.${ident(target.names.current).text}`);
  const segment = sql`segment constant pg_catalog.int8 := pg_catalog.pg_sequence_last_value(${current}::pg_catalog.regclass);`;
  const quote = dollarQuote(body.text + current.text);
  return sql`
    create or replace function ${ident('sarrio', name)}() returns trigger
    language plpgsql
    volatile
    security definer
    as ${quote}
    #variable_conflict use_variable
    declare
      ${join([segment, ...variables], '\n')}
    begin
      ${target.captureTriggers === 'always' ? join([unlessApplying, body], '\n') : body}
    end
    ${quote};
    revoke all on function ${ident('sarrio', name)}() from public;
  `;
}

/** One static statement for each segment: its plan is kept and costs less than one through the partitioned parent. A sequence never set reads null and means 1. */
export function bySegment(prefix: '' | 'els', statement: (segment: number) => Sql): Sql {
  return sql`
    ${dangerousRaw(`${prefix}if`)} segment operator(pg_catalog.=) 2 then
      ${statement(2)}
    elsif segment operator(pg_catalog.=) 3 then
      ${statement(3)}
    else
      ${statement(1)}
  `;
}

type Entry = { readonly target: CaptureTarget; readonly segment: number; readonly op: Sql };

const keyNames = oncePer(({ key }: CaptureTarget): Sql => dangerousRaw(key.map(({ name }) => ident(name).text).join(', ')));

function entryHead({ target, segment }: Pick<Entry, 'target' | 'segment'>, more = ''): Sql {
  return sql`insert into ${ident('sarrio', segmentName(target, segment))} (${keyNames(target)}, change_xid, change_at, change_op, change_segment${dangerousRaw(more)})`;
}

const ofSameTypes = ({ target, segment, alias }: Omit<Entry, 'op'> & { alias: string }): Sql =>
  onlyOfSameTypes(ident('sarrio', segmentName(target, segment)), target.key, alias);

function segmentName(target: CaptureTarget, segment: number): string {
  const name = target.names.segments[segment - 1];
  if (name === undefined) throw new Error(`no delta segment ${segment}`);
  return name;
}

/** The keys of a statement, up to the number beyond which an entry for each in the index would cost more than it gives. */
function firstKeys(entry: Entry): Sql {
  return keysFrom({ ...entry, from: sql`from changed_rows as changed`, alias: 'changed', limit: sql`limit ${BULK_AFTER}` });
}

/**
 * The keys beyond that, outside of the index, and an entry that tells of them. Both parts read the transition table in the same
 * order, in which the statement filled it.
 */
function bulkKeys(target: CaptureTarget, op: Sql): Sql {
  const keys = keysBy(target, 'changed');
  const nulls = noKey(target.names.delta, target.ownTypes);
  const rest = (segment: number) => sql`
    ${entryHead({ target, segment }, ', change_bulk')}
    select ${keys}, ${STAMP_ONCE}, (select ${op}), ${dangerousRaw(String(segment))}, 0
    from changed_rows as changed
    where ${ofSameTypes({ target, segment, alias: 'changed' })}
    offset ${BULK_AFTER};
  `;
  return sql`
    get diagnostics captured = row_count;
    if captured operator(pg_catalog.=) ${BULK_AFTER} then
      ${bySegment('', rest)}
      end if;
      get diagnostics bulk = row_count;
      if bulk operator(pg_catalog.>) 0 then
        insert into ${ident('sarrio', target.names.delta)} (${nulls.columns}change_xid, change_at, change_op, change_segment, change_bulk)
        values (${nulls.values}${STAMP}, 'B', coalesce(segment, 1), bulk);
      end if;
    end if;
  `;
}

function keysBy({ key }: CaptureTarget, alias: string): Sql {
  return dangerousRaw(key.map(({ name }) => ident(alias, name).text).join(', '));
}

function keysFrom(entry: Entry & { from: Sql; alias: string; limit?: Sql }): Sql {
  const keys = keysBy(entry.target, entry.alias);
  return sql`
    ${entryHead(entry)}
    select ${keys}, ${STAMP}, ${entry.op}, ${dangerousRaw(String(entry.segment))}
    ${entry.from}
    ${join([sql`where ${ofSameTypes(entry)}`, ...(entry.limit ? [entry.limit] : [])], '\n')};
  `;
}

function keyOf(entry: Entry & { record: 'old' | 'new' }): Sql {
  const keys = keysBy(entry.target, entry.record);
  return sql`
    ${entryHead(entry)}
    select ${keys}, ${STAMP}, ${entry.op}, ${dangerousRaw(String(entry.segment))}
    where ${ofSameTypes({ ...entry, alias: entry.record })};
  `;
}

/** Through the parent, which finds the segment: a TRUNCATE is rare. */
function truncateEntry({ names, ownTypes }: CaptureTarget): Sql {
  const nulls = noKey(names.delta, ownTypes);
  return sql`
    insert into ${ident('sarrio', names.delta)} (${nulls.columns}change_xid, change_at, change_op, change_segment)
    values (${nulls.values}${STAMP}, 'T', coalesce(segment, 1));
  `;
}

/** Nulls that no domain looks at: a subselect without a row. A column left out would get its domain's check. */
export function noKey(delta: string, ownTypes: readonly string[]): { readonly columns: Sql; readonly values: Sql } {
  const none = (column: string): string => `(select d.${ident(column).text} from ${ident('sarrio', delta).text} as d where false), `;
  return { columns: dangerousRaw(ownTypes.map((column) => `${ident(column).text}, `).join('')), values: dangerousRaw(ownTypes.map(none).join('')) };
}

export function wakeWhenCaptured(target: CaptureTarget): Sql {
  return sql`
    if captured operator(pg_catalog.>) 0 then
      ${markFilled(target)}
      ${wake(target)}
    end if;
  `;
}

/**
 * After the entries were written, never before: our transaction holds a lock on the segment since, and the flag is put back only by
 * someone who holds all segments exclusively and has found them empty.
 */
function markFilled({ names }: CaptureTarget): Sql {
  const flag = sql`${literal(`sarrio.${ident(names.filled).text}`)}::pg_catalog.regclass`;
  return sql`
    if (pg_catalog.pg_sequence_last_value(${flag}) operator(pg_catalog.=) 2) is not true then
      perform sarrio.mark_filled(${flag});
    end if;
  `;
}

function wake({ wakes }: CaptureTarget): Sql {
  const calls = wakes.map(({ sync, sequence }) => {
    const flag = sql`${literal(`sarrio.${ident(sequence).text}`)}::pg_catalog.regclass`;
    return sql`
      if pg_catalog.pg_sequence_last_value(${flag}) operator(pg_catalog.=) 2 then
        perform sarrio.wake(${literal(sync)}, ${flag});
      end if;
    `;
  });
  return join(calls, '\n');
}
