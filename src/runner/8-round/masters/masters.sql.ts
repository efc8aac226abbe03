import type { Knowledge } from '../../../conflict/change-names.ts';
import { type Position, positionSettings } from '../../../plan/position.ts';
import { textArray } from '../../postgres/text-array.ts';
import type { TextRows } from '../reading-rows.ts';
import type { Result, Statement } from '../../postgres/statement.ts';

/**
 * Purpose: the bookkeeping queries of rounds between masters, on any member.
 * Reads: snapshot, WAL positions, sarrio.watermark, sarrio.held. Writes: sarrio.watermark, sarrio.held, sarrio.conflict, sarrio.parked, sarrio.stopped.
 * Called by: `session-member.ts`, `run-masters.ts`, `join-pair.ts`.
 */
export const beginMember = 'begin transaction isolation level repeatable read, read write';
export const commitMember = 'commit';
export const rollbackMember = 'rollback';
export const savepoint = 'savepoint sarrio_rows';
export const rollbackToSavepoint = 'rollback to savepoint sarrio_rows';
export const releaseSavepoint = 'release savepoint sarrio_rows';

/** What every statement of the plan reads from settings, for one transaction. */
export type MemberSettings = {
  readonly member: number;
  readonly from: Position;
  /** By index, what each other present member has seen. */
  readonly seenBy: ReadonlyMap<number, Position>;
  readonly knownBy: ReadonlyMap<number, readonly Knowledge[]>;
  /** Number of the member's own history, and of every one that is known of. */
  readonly origin: bigint;
  readonly origins: ReadonlySet<bigint>;
  /** Whose watermarks and held positions are read: those of the sync, in a ring of all its syncs. */
  readonly syncs: readonly string[];
};

/**
 * Takes the round's snapshot. Few changes against a large table must never be joined by reading the whole table: the planner gets its
 * choice back where there are many (`planFor`). No parallel workers: with the costs that this leads to the planner would start some for a
 * handful of changes, which takes longer than all the rest of a small round.
 */
export function takeMemberSnapshot({ member, from, seenBy, knownBy, origin, origins, syncs }: MemberSettings): Statement {
  const { xmax, xip, extra } = positionSettings(from);
  return {
    name: 'sarrio_member_snapshot',
    text: `select pg_current_snapshot()::text, pg_current_wal_insert_lsn()::text, pg_current_wal_flush_lsn() >= pg_current_wal_insert_lsn(),
      (extract(epoch from clock_timestamp()) * 1000000)::bigint::text,
      (select json_agg(json_build_array(w.sync, w.source, w.position, w.copied_xid::text, w.resting::text)) from sarrio.watermark as w where w.sync = any ($9::text[])),
      (select json_agg(json_build_array(h.sync, h.source, h.relation, h.position)) from sarrio.held as h where h.sync = any ($9::text[])),
      set_config('sarrio.xmax', $1, true), set_config('sarrio.xip', $2, true), set_config('sarrio.extra', $3, true),
      set_config('sarrio.targets', $4, true), set_config('sarrio.member', $5, true),
      set_config('sarrio.known', $6, true), set_config('sarrio.origin', $7, true), set_config('sarrio.origins', $8, true),
      set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
      set_config('max_parallel_workers_per_gather', '0', true)`,
    values: [xmax, xip, extra, targetsText(seenBy), String(member), knownText(knownBy), String(origin), `{${[...origins].join(',')}}`, textArray(syncs)],
  };
}

/** What the answer to `takeMemberSnapshot` says. */
export function memberSnapshot(answer: Result | undefined): MemberSnapshot {
  const [snapshot, , isOnDisk, clock, watermarks, held] = answer?.lists[0] ?? [];
  const rows = (text: string | null | undefined): TextRows => JSON.parse(text ?? '[]') as TextRows;
  return { snapshot: snapshot ?? '', isOnDisk: isOnDisk === 't', clockMicros: BigInt(clock ?? '0'), watermarks: rows(watermarks), held: rows(held) };
}

export type MemberSnapshot = {
  readonly snapshot: string;
  /** Everything that it saw is on disk. */
  readonly isOnDisk: boolean;
  readonly clockMicros: bigint;
  /** Every watermark of the syncs here: sync, source, position, transaction of the copy, tables that rest for a migration. */
  readonly watermarks: TextRows;
  /** Positions of tables that have not moved with the watermarks: sync, source, relation, position. */
  readonly held: TextRows;
};

/** From where the statements that follow read and whom for, and what everybody has seen of what entries name. */
export function setSpan({ from, seenBy, knownBy }: Pick<MemberSettings, 'from' | 'seenBy' | 'knownBy'>): Statement {
  const { xmax, xip, extra } = positionSettings(from);
  return {
    name: 'sarrio_set_span',
    text: `select set_config('sarrio.xmax', $1, true), set_config('sarrio.xip', $2, true), set_config('sarrio.extra', $3, true),
      set_config('sarrio.targets', $4, true), set_config('sarrio.known', $5, true)`,
    values: [xmax, xip, extra, targetsText(seenBy), knownText(knownBy)],
  };
}

/** On another connection of the same member, in the same snapshot. Between two nothing is named. */
export function readerSettings(member: number): Statement {
  return { name: 'sarrio_reader', text: "select set_config('sarrio.member', $1, true)", values: [String(member)] };
}

function targetsText(seenBy: ReadonlyMap<number, Position>): string {
  return JSON.stringify([...seenBy].map(([index, position]) => ({ bit: 1 << index, ...positionSettings(position) })));
}

/** Transactions that do not exist yet are covered as well where everything is. */
const EVERYTHING = { xmax: String(2n ** 64n - 1n), xip: '{}', extra: '{}' };

function knownText(knownBy: ReadonlyMap<number, readonly Knowledge[]>): string {
  const lines = [...knownBy].flatMap(([index, known]) =>
    known.map(({ origin, since, position }) => ({
      bit: 1 << index,
      origin: String(origin),
      since: String(since),
      ...(position === null ? EVERYTHING : positionSettings(position)),
    })),
  );
  return JSON.stringify(lines);
}

/**
 * The fence: fails where one was moved after the snapshot, and keeps others from moving them. Gives the transaction its id. In a ring the
 * watermarks of all its syncs, and without waiting: three rounds could wait for each other at three servers, of which none would know.
 */
export function holdWatermarks(syncs: readonly string[]): Statement {
  const [name, nowait] = syncs.length === 1 ? ['sarrio_hold', ''] : ['sarrio_hold_ring', ' nowait'];
  return {
    name,
    text: `with held as materialized (
        select source from sarrio.watermark where sync = any ($1::text[]) order by sync, source for update${nowait}
      )
      select pg_current_xact_id()::text, (select count(*) from held)`,
    values: [textArray(syncs)],
  };
}

/** A watermark of a source that was never met: what others have brought of it. Its stream's own registration is put in when it comes. */
const UNREGISTERED = '00000000-0000-0000-0000-000000000000';

/** $1 to $4: sync, source, position, number of rows that came from there. */
export function moveWatermark(move: { sync: string; source: string; position: string; rows: number }): Statement {
  return {
    name: 'sarrio_move_watermark',
    text: `insert into sarrio.watermark as w (sync, source, position, registration, applied_rows, applied_rounds) values ($1, $2, $3, '${UNREGISTERED}', $4::bigint, 1)
      on conflict (sync, source) do update
        set position = excluded.position, applied_rows = w.applied_rows + excluded.applied_rows, applied_rounds = w.applied_rounds + 1,
          applied_at = clock_timestamp()`,
    values: [move.sync, move.source, move.position, String(move.rows)],
  };
}

/** After the last write: how far the log must be on disk before anybody else may commit. */
export const endOfLog: Statement = { name: 'sarrio_end_of_log', text: 'select pg_current_wal_insert_lsn()::text' };

/** $1: sync, $2: JSON array of conflicts. */
export const recordConflicts = `
  insert into sarrio.conflict (id, sync, relation, key, kind, strategy, decision, versions)
  select r.id, $1, r.relation, r.key, r.kind, r.strategy, r.decision, r.versions
  from json_to_recordset($2::json) as r (id uuid, relation text, key jsonb, kind text, strategy text, decision text, versions jsonb)
`;

/** The same for many. */
export const copyConflicts = 'copy sarrio.conflict (sync, id, relation, key, kind, strategy, decision, versions) from stdin';

/** $1: sync, $2: JSON array. Of a row that is parked again the last one counts. */
export const parkRows = `
  insert into sarrio.parked (sync, relation, key, error_code, error, row)
  select $1, r.relation, r.key, r.code, r.error, r.row
  from json_to_recordset($2::json) as r (relation text, key jsonb, code text, error text, row jsonb)
  on conflict (sync, relation, key) do update
    set error_code = excluded.error_code, error = excluded.error, row = excluded.row, parked_at = clock_timestamp()
`;

/** What a handler has said of conflicts: the winner's index, null for a row that it made or that nobody wins. */
export const createRuled = 'create temporary table if not exists sarrio_ruled (id uuid, winner integer, decision text) on commit delete rows';
export const loadRuled = 'copy pg_temp.sarrio_ruled from stdin';

/** Pages of contested keys; the text is the plan's. */
export const openContested = (text: string): string => `declare sarrio_contested no scroll cursor for ${text}`;
export const fetchContested = (rows: number): string => `fetch forward ${Math.trunc(rows)} from sarrio_contested`;
export const closeContested = 'close sarrio_contested';

/** A new pair of members: everything that is still kept there is pending. */
export const insertMasterWatermark = `
  insert into sarrio.watermark (sync, source, position, registration) values ($1, $2, $3, $4::uuid)
  on conflict (sync, source) do nothing
`;

/** Tables that need no copy: the member's rows are the first ones, or taken as they are. */
export const keepTables = `
  insert into sarrio.initial_copy (sync, source, relation, capture, position, is_joined)
  select $1, $2, r.relation, r.capture::oid, $3, true
  from json_to_recordset($4::json) as r (relation text, capture text)
  on conflict (sync, source, relation) do update set capture = excluded.capture, position = excluded.position, is_joined = true
`;

/** Tables whose capture a migration makes anew: their rows are the ones that they were. */
export const lostCaptures = 'select relation from sarrio.initial_copy where sync = $1 and source = $2 and capture = 0';

/** Every copied table follows the watermark. */
export const joinAll = 'update sarrio.initial_copy set is_joined = true where sync = $1 and source = $2 and not is_joined';

/** How many tables follow the sync's first member. */
export const readSeeded = 'select count(*)::text as joined from sarrio.initial_copy where sync = $1 and source = $2 and is_joined';

/** Whether entries that only other syncs read are to be written. */
export const tellOthers = "select set_config('sarrio.tells', $1, true)";

/** $1: sync, $2: source, $3: the stream's registration. */
export const adoptWatermark = `
  update sarrio.watermark set registration = $3::uuid
  where sync = $1 and source = $2 and registration = '${UNREGISTERED}'
`;

/** A joining member takes over what its rows' source has applied of the others. $1: sync, $2: JSON array of sources with positions. */
export const inheritWatermarks = `
  insert into sarrio.watermark (sync, source, position, registration)
  select $1, r.source, r.position, '${UNREGISTERED}'
  from json_to_recordset($2::json) as r (source text, position text)
  on conflict (sync, source) do nothing
`;

/** Of what was changed here before, the rows that come now hold only what their source has. $1: sync, $2: source. */
export const noteCopy = 'update sarrio.watermark set copied_xid = pg_current_xact_id() where sync = $1 and source = $2';

/** At the seed, in the copy's snapshot: its watermarks. $1: sync. */
export const seedWatermarks = 'select source, position from sarrio.watermark where sync = $1';

/** Members that are given up on here. $1: sync. */
export const readDetached = `
  select target, detached_at::text as detached_at, detached_reason
  from sarrio.acknowledged
  where sync = $1 and detached_at is not null
`;

/** At the seed: what its other targets have on disk. $1: sync, $2: the target that joins. */
export const otherAcknowledged = 'select position from sarrio.acknowledged where sync = $1 and target <> $2 and detached_at is null';
