/**
 * Purpose: what parts of a capture cost, each with the parts before it; the last one has a partial index in the place of the whole one. Reads, writes: the bench's own databases.
 * Called by: bench/capture-parts.ts.
 */
const ENTRY = `id bigint, change_xid xid8 not null, change_at timestamptz not null, change_op "char" not null, change_segment smallint not null,
  change_sync text, change_bulk bigint`;

const trigger = (body: string): string => `
  create function part() returns trigger language plpgsql as $$ begin ${body} return null; end $$;
  create trigger part_insert after insert on narrow referencing new table as changed_rows for each statement execute function part();
  create trigger part_update after update on narrow referencing new table as changed_rows for each statement execute function part();`;

/** The least that any capture by triggers does: one entry for each changed row, in a table that nothing else belongs to. */
const record = (table: string): string => `insert into ${table} (id, change_xid, change_at, change_op, change_segment, change_bulk)
  select id, (select pg_current_xact_id()), (select clock_timestamp()), (select left(tg_op, 1)::"char"), 1, 0 from changed_rows;`;

export const PARTS: Readonly<Record<string, string>> = {
  none: 'select',
  'a trigger that does nothing': trigger(''),
  'and an entry for each row': `create table entries (${ENTRY}); ${trigger(record('entries'))}`,
  'and an index on them': `create table entries (${ENTRY}); create index on entries (change_xid); ${trigger(record('entries'))}`,
  'in a segment, with an index on some of them': `create table entries (${ENTRY}) partition by list (change_segment);
    create table segment1 partition of entries for values in (1);
    create index on segment1 (change_xid) where change_bulk is distinct from 0; ${trigger(record('segment1'))}`,
};

/** So many statements of one row in one transaction, without a client: what is left is the server's own time. */
export function updateEach(rows: number): string {
  return `do $$ begin for i in 1..${rows} loop update narrow set v = v + 1 where id = i; end loop; end $$`;
}
