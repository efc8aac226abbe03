import { ident, literal, tableIdent } from '../../../sql/quote.ts';
import { join, type Sql, sql } from '../../../sql/sql.ts';
import type { MasterVerifyStatements } from '../../../plan/plan-verify.ts';
import { objectNames } from '../../2-model/object-names.ts';
import { deltaIdent } from './pending.sql.ts';
import { differingIdent, keyNames, list, stageIdent } from './verify.sql.ts';
import type { MasterTarget } from './master-target.ts';

/**
 * Purpose: comparing a table of all masters where their hashes meet, and making one master's rows new changes.
 * Reads: temporary tables. Writes: temporary tables; the table's delta table (repair). Called by: `masterStatements`.
 *
 * A key that any member has pending stands in the stage as well, so that one grouping says both who has which row and who is still to
 * hear of it. Keys are grouped by the database's own equality, as where changes meet.
 */
export function masterVerifyStatements(at: MasterTarget, sync: string): MasterVerifyStatements {
  const differing = differingIdent(at);
  return {
    createStage: createStage(at).text,
    findDifferences: findDifferences(at).text,
    countDifferences: sql`
      select count(*) filter (where not d.sarrio_in_flight) as keys,
        count(*) filter (where not d.sarrio_in_flight and d.sarrio_versions[1] <> any (d.sarrio_versions)) as different,
        count(*) filter (where d.sarrio_in_flight) as in_flight
      from ${differing} as d
    `.text,
    countAbsent: sql`
      select m.member, count(*) as keys
      from ${differing} as d, unnest($1::integer[]) as m (member)
      where not d.sarrio_in_flight and m.member <> all (d.sarrio_members)
      group by m.member
    `.text,
    countColumns: sql`
      select n.number as column, count(*) as rows
      from ${differing} as d, unnest(d.sarrio_columns) as n (number)
      where not d.sarrio_in_flight
      group by n.number
      order by n.number
    `.text,
    countWrites: countWrites(differing).text,
    listDifferences: listDifferences(at, differing).text,
    recordEntries: recordEntries(at, differing, sync).text,
  };
}

function createStage(at: MasterTarget): Sql {
  const keys = list(keyNames(at));
  const [stage, differing] = [stageIdent(at), differingIdent(at)];
  return sql`
    create temporary table ${stage} on commit delete rows as
    select ${keys}, null::boolean as sarrio_pending, null::bigint[] as sarrio_hashes, null::integer as sarrio_member
    from ${tableIdent(at.table.source)}
    with no data;
    alter table ${stage} alter column sarrio_member set default current_setting('sarrio.member')::integer;
    create temporary table ${differing} as
    select ${keys}, null::bigint as sarrio_number, null::boolean as sarrio_in_flight, null::integer[] as sarrio_members,
      null::bigint[] as sarrio_versions, null::integer[] as sarrio_columns
    from ${tableIdent(at.table.source)}
    with no data
  `;
}

/** Like rows get the same number: a hash of their columns' hashes. */
function findDifferences(at: MasterTarget): Sql {
  const keys = keyNames(at);
  const isRow = sql`filter (where not s.sarrio_pending)`;
  return sql`
    insert into ${differingIdent(at)} (${list(keys)}, sarrio_number, sarrio_in_flight, sarrio_members, sarrio_versions, sarrio_columns)
    select ${list(keys, 'd')}, row_number() over (order by ${list(keys, 'd')}), d.is_in_flight, d.members, d.versions,
      array(
        select n.number
        from generate_subscripts(d.hashes, 2) as n (number)
        where exists (
          select from generate_subscripts(d.hashes, 1) as m (place)
          where d.hashes[m.place][n.number] <> d.hashes[1][n.number]
        )
      )
    from (
      select ${list(keys, 's')}, bool_or(s.sarrio_pending) as is_in_flight,
        array_agg(s.sarrio_member order by s.sarrio_member) ${isRow} as members,
        array_agg(hashtextextended(s.sarrio_hashes::text, 0) order by s.sarrio_member) ${isRow} as versions,
        array_agg(s.sarrio_hashes order by s.sarrio_member) ${isRow} as hashes
      from ${stageIdent(at)} as s
      group by ${list(keys, 's')}
      having count(*) ${isRow} between 1 and $1::integer - 1 or count(distinct s.sarrio_hashes) > 1
    ) as d
  `;
}

function countWrites(differing: Sql): Sql {
  return sql`
    select m.member,
      count(*) filter (where p.ours is not null and p.theirs is null) as inserts,
      count(*) filter (where d.sarrio_versions[p.ours] <> d.sarrio_versions[p.theirs]) as updates,
      count(*) filter (where p.ours is null and p.theirs is not null) as deletes
    from ${differing} as d
    cross join unnest($2::integer[]) as m (member)
    cross join lateral (
      select array_position(d.sarrio_members, $1::integer), array_position(d.sarrio_members, m.member)
    ) as p (ours, theirs)
    where not d.sarrio_in_flight and m.member <> $1::integer
    group by m.member
  `;
}

function listDifferences(at: MasterTarget, differing: Sql): Sql {
  const keys = join(
    keyNames(at).map((key) => sql`concat(${ident('d', key)})`),
    ', ',
  );
  return sql`
    select array_to_json(d.sarrio_members), array_to_json(d.sarrio_versions::text[]), array_to_json(d.sarrio_columns), ${keys}
    from ${differing} as d
    where not d.sarrio_in_flight
    order by d.sarrio_number
    limit $1::bigint
  `;
}

/** For this sync alone: nothing was written here that others would have to hear of. */
function recordEntries(at: MasterTarget, differing: Sql, sync: string): Sql {
  const keys = keyNames(at);
  const current = literal(`sarrio.${ident(objectNames(at.table.source).current).text}`);
  return sql`
    insert into ${deltaIdent(at.table)} (${list(keys)}, change_xid, change_at, change_op, change_sync, change_segment)
    select ${list(keys, 'd')}, pg_current_xact_id(), $1::timestamptz,
      case when (select current_setting('sarrio.member')::integer) = any (d.sarrio_members) then 'U' else 'D' end::"char",
      ${literal(`=${sync}`)}, coalesce(pg_sequence_last_value(${current}::regclass), 1)
    from ${differing} as d
    where not d.sarrio_in_flight
  `;
}
