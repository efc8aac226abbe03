import { dollarQuote, ident, literal, type QualifiedName, tableIdent } from '../../../sql/quote.ts';
import { dangerousRaw, join, type Sql, sql } from '../../../sql/sql.ts';

/** A column that counts by a sequence. */
export type CountedColumn = { readonly table: QualifiedName; readonly column: string; readonly type: string };

type Read = { readonly sequence: QualifiedName; readonly columns: readonly CountedColumn[]; readonly slots: number; readonly slot: number };

const NUMBER = /^(smallint|integer|bigint|numeric(\(.*\))?)$/;

/**
 * Purpose: what a user's sequence and the columns that count by it say, and counting in steps.
 * Reads: the sequence, the columns' tables. Writes: the sequence. Called by: `emitSequences`.
 *
 * A column that does not hold the number itself (a text around it) says nothing about it.
 */
export function readSequence({ sequence, columns, slots, slot }: Read): Sql {
  const numbers = columns.filter(({ type }) => NUMBER.test(type));
  const highest = numbers.map(({ table, column }) => sql`(select max(${ident('t', column)})::numeric from ${tableIdent(table)} as t)`);
  const taken = numbers.map(
    ({ table, column }) =>
      sql`(select max(${ident('t', column)})::numeric from ${tableIdent(table)} as t
        where ${ident('t', column)} >= v.last_value + case when v.is_called then s.seqincrement else 0 end
          and mod(${ident('t', column)}::numeric - ${dangerousRaw(String(slot))}, ${dangerousRaw(String(slots))}) = 0)`,
  );
  return sql`
    select s.seqincrement as increment, s.seqmin as least, s.seqmax as most, s.seqcycle as cycles, v.last_value as last, v.is_called,
      greatest(${join([dangerousRaw('null::numeric'), ...highest], ', ')}) as highest,
      greatest(${join([dangerousRaw('null::numeric'), ...taken], ', ')}) as taken
    from ${tableIdent(sequence)} as v
    join pg_sequence as s on s.seqrelid = ${regclass(sequence)}
  `;
}

/**
 * The first ALTER takes the sequence's lock (SHARE ROW EXCLUSIVE): it waits for every transaction that has drawn from it, and nobody draws
 * until this one ends. What a session has cached is thrown away, because the sequence is written anew.
 */
export function alignSequence({ sequence, slots }: Pick<Read, 'sequence' | 'slots'>): Sql {
  const name = tableIdent(sequence);
  const alter = sql`alter sequence ${name} increment by ${dangerousRaw(String(slots))}`;
  const body = sql`
    declare
      used bigint;
    begin
      ${alter};
      select v.last_value into used from ${name} as v;
      if used >= current_setting('sarrio.floor')::bigint then
        raise exception 'sequence % has come to % meanwhile', ${literal(`${sequence.schema}.${sequence.name}`)}, used;
      end if;
      execute concat(${literal(`alter sequence ${name.text} start with `)}, current_setting('sarrio.next')::bigint, ' restart');
    end
  `;
  const quote = dollarQuote(body.text);
  return sql`
    do ${quote}
    ${body}
    ${quote}
  `;
}

function regclass(name: QualifiedName): Sql {
  return sql`${literal(tableIdent(name).text)}::regclass`;
}
