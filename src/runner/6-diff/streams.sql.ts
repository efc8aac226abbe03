import { literal } from '../../sql/quote.ts';
import { join, type Sql, sql } from '../../sql/sql.ts';

type Stream = { readonly sync: string; readonly target: string };
type Arrival = { readonly sync: string; readonly source: string };

/** Purpose: from now on the source keeps every change for this target. Reads: nothing. Writes: sarrio.acknowledged. Called by: diffStreams. */
export function registerStream({ sync, target }: Stream): Sql {
  return sql`
    insert into sarrio.acknowledged (sync, target, position)
    values (${literal(sync)}, ${literal(target)}, null)
    on conflict (sync, target) do nothing;
  `;
}

/** Purpose: the source no longer keeps changes for this target. Reads: nothing. Writes: sarrio.acknowledged. Called by: diffStreams. */
export function unregisterStream({ sync, target }: Stream): Sql {
  return sql`delete from sarrio.acknowledged where sync = ${literal(sync)} and target = ${literal(target)};`;
}

/**
 * Purpose: a target forgets a stream that left the config, so that it is copied anew should it ever return: its source may have
 * purged what lies between. Reads: nothing. Writes: sarrio.watermark, sarrio.initial_copy. Called by: diffStreams.
 */
export function forgetStream({ sync, source }: Arrival): Sql {
  return sql`
    delete from sarrio.initial_copy where sync = ${literal(sync)} and source = ${literal(source)};
    delete from sarrio.watermark where sync = ${literal(sync)} and source = ${literal(source)};
  `;
}

/** Purpose: a target forgets that tables were copied, so that they are copied again. Reads: nothing. Writes: sarrio.initial_copy. Called by: diffStreams. */
export function forgetCopies({ sync, source, relations }: Arrival & { readonly relations: readonly string[] }): Sql {
  const list = join(relations.map(literal), ', ');
  return sql`delete from sarrio.initial_copy where sync = ${literal(sync)} and source = ${literal(source)} and relation in (${list});`;
}
