import { textArray } from '../../postgres/text-array.ts';
import type { Statement } from '../../postgres/statement.ts';

/**
 * Purpose: tables between masters that do not stand where the watermarks do.
 * Reads: sarrio.watermark, sarrio.installed. Writes: sarrio.held. Called by: `member-applied.ts`, `member-writes.ts`, `join-pair.ts`, `admit.ts`, migrations.
 */
/** $1: sync, $2: JSON array of source, relation and position; a null position lets the table follow the watermark again. */
export function moveHeld(sync: string, moves: readonly { readonly source: string; readonly relation: string; readonly position: string | null }[]): Statement {
  return {
    name: 'sarrio_move_held',
    text: `with moves as materialized (
        select m.source, m.relation, m.position
        from json_to_recordset($2::json) as m (source text, relation text, position text)
      ),
      following as (
        delete from sarrio.held as h using moves as m
        where h.sync = $1 and h.source = m.source and h.relation = m.relation and m.position is null
      )
      insert into sarrio.held (sync, source, relation, position)
      select $1, m.source, m.relation, m.position
      from moves as m
      where m.position is not null
      on conflict (sync, source, relation) do update set position = excluded.position`,
    values: [sync, JSON.stringify(moves)],
  };
}

/**
 * The same where other syncs of a ring may hold the table elsewhere: everything that is held of this one's tables. $1: sync, $2 as above. Where a
 * table stands that the plan does not know, others have written.
 */
export function replaceHeld(
  sync: string,
  relations: readonly string[],
  held: readonly { readonly source: string; readonly relation: string; readonly position: string }[],
): readonly Statement[] {
  return [{ name: 'sarrio_forget_held', text: forgetHeldTables, values: [sync, textArray(relations)] }, ...(held.length > 0 ? [moveHeld(sync, held)] : [])];
}

/** The stream begins anew: what was held of it belongs to an earlier life. */
export const forgetHeld = 'delete from sarrio.held where sync = $1 and source = $2';

/** At the seed, in the copy's snapshot: what its tables hold of the others where that is not what its watermarks say. $1: sync. */
export const seedHeld = 'select source, relation, position from sarrio.held where sync = $1';

/** Tables that are copied do not stand where they stood. $1: sync, $2: relations. */
export const forgetHeldTables = 'delete from sarrio.held where sync = $1 and relation = any ($2::text[])';

/** Before all, of a source whose history nobody has met yet: whoever meets it reads everything. */
const UNMET = '0.0.0/3:3:';

/**
 * Tables of the sync, as it was applied here, that a plan does not know ($2: those that it does), which rounds of it leave behind: they stand from
 * now on where the watermarks of all sources ($3) do, unless they stood apart before. $4: project.
 */
export const leaveUnknown = `
  insert into sarrio.held (sync, source, relation, position)
  select $1, s.source, t.relation, coalesce(w.position, '${UNMET}')
  from unnest($3::text[]) as s (source)
  left join sarrio.watermark as w on w.sync = $1 and w.source = s.source
  cross join (
    select substr(i.name, length($1) + 2) as relation
    from sarrio.installed as i
    where i.kind = 'terms' and i.project = $4 and starts_with(i.name, $1 || '/')
  ) as t
  where t.relation <> all ($2::text[])
  on conflict (sync, source, relation) do nothing
`;

/** Tables that have come stand at the beginning of their captures, whatever watermarks there are or will be. $1, $2 as in `holdCopied`. */
export const holdNew = `
  insert into sarrio.held (sync, source, relation, position)
  select $1, m.source, m.relation, m.position
  from json_to_recordset($2::json) as m (source text, relation text, position text)
  on conflict (sync, source, relation) do update set position = excluded.position
`;

/** Tables that are copied stand where the copied rows do, if that is not where the watermarks are. $1: sync, $2: JSON array of source, relation and position, which is null for before all. */
export const holdCopied = `
  insert into sarrio.held (sync, source, relation, position)
  select $1, m.source, m.relation, coalesce(m.position, '${UNMET}')
  from json_to_recordset($2::json) as m (source text, relation text, position text)
  join sarrio.watermark as w on w.sync = $1 and w.source = m.source
  where w.position is distinct from m.position
  on conflict (sync, source, relation) do update set position = excluded.position
`;
