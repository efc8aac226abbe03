import { type Position, positionSettings } from '../../plan/position.ts';
import { displayName, type QualifiedName } from '../../sql/quote.ts';
import type { Statement } from '../postgres/statement.ts';

/**
 * Purpose: the runner's bookkeeping queries in the source of a round.
 * Reads: snapshot, WAL positions, control data, sarrio.acknowledged. Writes: a transactional WAL message (durability), wake flags.
 * Called by: `source.ts`, `reading.ts`, `wake.ts`.
 */
export const beginReading: Statement = { text: 'begin transaction isolation level repeatable read, read only' };

/** Takes no snapshot, so that it can be said before one is set. */
export const stillLocked = 'show transaction_isolation';

/** First in a transaction, it is granted before the snapshot is taken (`analyze_requires_snapshot` in PostgreSQL's analyze.c leaves LOCK out). */
export function lockTables(tables: readonly QualifiedName[]): string {
  return `lock table ${tables.map(displayName).join(', ')} in access share mode`;
}

/** Around statements that read users' tables on the reading's own connection: rolled back, they leave no lock on these tables behind. */
export const beginRows: Statement = { text: 'savepoint sarrio_rows' };
export const endRows: readonly Statement[] = [{ text: 'rollback to savepoint sarrio_rows' }, { text: 'release savepoint sarrio_rows' }];

export const endReading = 'rollback';

/** Said in a transaction that waits for a target, so that the server does not take its runner for frozen. */
export const stillThere = 'select';

/**
 * Takes the round's snapshot; sets the position for the statements of the plan. The end of the WAL, read after the snapshot, bounds
 * what the snapshot saw: once that much is on disk, nothing of it can be lost in a crash.
 */
export function takeSnapshot(from: Position): Statement {
  const { xmax, xip, extra } = positionSettings(from);
  return {
    name: 'sarrio_snapshot',
    text: `select pg_current_snapshot()::text, pg_current_wal_insert_lsn()::text, pg_current_wal_flush_lsn() >= pg_current_wal_insert_lsn(),
      set_config('sarrio.xmax', $1, true), set_config('sarrio.xip', $2, true), set_config('sarrio.extra', $3, true)`,
    values: [xmax, xip, extra],
  };
}

export function setPosition(from: Position): Statement {
  const { xmax, xip, extra } = positionSettings(from);
  return {
    name: 'sarrio_set_position',
    text: "select set_config('sarrio.xmax', $1, true), set_config('sarrio.xip', $2, true), set_config('sarrio.extra', $3, true)",
    values: [xmax, xip, extra],
  };
}

/** Indexes (from 0) of the tables whose delta tables may hold changes, and whether they are gone instead. $1: their flags, in order. */
export const readFilled = `
  select f.place - 1, to_regclass(f.flag) is null
  from unnest($1::text[]) with ordinality as f (flag, place)
  where pg_sequence_last_value(to_regclass(f.flag)) is distinct from 1
`;

/**
 * Asked last in every batch that counts, when the flags have been read and the locks on the delta segments are held: had a segment
 * been emptied without regard to a stream before that, this value would have changed earlier still, and no snapshot hides it.
 */
export const readRegistry = "select coalesce(pg_sequence_last_value('sarrio.registry'), 0)::text as registry";

/** The registry, and whether the flags of `readFilled` have to be read again: null is no value to rely on. */
export const readMoves = `
  select coalesce(pg_sequence_last_value('sarrio.registry'), 0)::text, pg_sequence_last_value('sarrio.fillings')::text
`;

/** Nothing committed and no transaction id was given out since a snapshot with the same text. */
export const currentSnapshot = 'select pg_current_snapshot()::text as snapshot';

export const exportSnapshot = 'select pg_export_snapshot() as snapshot';

/** The identifier comes from the server and is made of digits, letters and dashes only. */
export function importSnapshot(snapshot: string): string {
  if (!/^[0-9A-F-]+$/i.test(snapshot)) throw new Error(`not a snapshot identifier: ${snapshot}`);
  return `set transaction snapshot '${snapshot}'`;
}

/** What a transaction id of this database belongs to. */
export const readHistory = `
  select (select system_identifier::text from pg_control_system()) as system,
    (select oid::text from pg_database where datname = current_database()) as database,
    ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::bigint::text as timeline
`;

export const isReplica = 'select pg_is_in_recovery() as is_replica';

export const isFlushed: (lsn: string) => Statement = (lsn) => ({
  name: 'sarrio_flushed',
  text: 'select pg_current_wal_flush_lsn() >= $1::pg_lsn',
  values: [lsn],
});

/**
 * A commit of our own that writes WAL and waits for the disk: everything before it is on disk then. A transaction that only takes an
 * xid would not wait (it wrote nothing), hence the message.
 */
export const flushWal = `
  begin;
  set local synchronous_commit = local;
  select pg_logical_emit_message(true, 'sarrio', '');
  commit;
`;

export const readAcknowledged = `
  select a.registration::text as registration, a.position, a.replace_rows, a.detached_at::text as detached_at, a.detached_reason
  from sarrio.acknowledged as a
  where a.sync = $1 and a.target = $2
`;

export const readPaused = `
  select p.paused_by, p.paused_at::text as paused_at
  from sarrio.paused as p
  where p.sync = $1
`;

/** Delta tables by name -> oid, to notice a capture that was dropped and made anew. */
export const captureOids = `
  select n.nspname || '.' || quote_ident(c.relname) as name, c.oid::text as oid
  from pg_class as c
  join pg_namespace as n on n.oid = c.relnamespace
  where n.nspname = 'sarrio' and c.relkind = 'p'
`;

/** `sarrio copy`: the stream begins a new life, so its old watermark no longer counts. */
export const registerAnew = `
  update sarrio.acknowledged
  set registration = gen_random_uuid(), position = null, replace_rows = $3::boolean, acknowledged_at = clock_timestamp(),
    detached_at = null, detached_reason = null
  where sync = $1 and target = $2
`;

/**
 * Only from the position that this runner knows: whoever finds another one there is not alone. With it goes which delta tables it speaks for: the
 * list itself ($6) once, later only its name with the position ($7), where it still is the one that was written ($8).
 */
export const writeAcknowledged = `
  update sarrio.acknowledged
  set position = $3, replace_rows = false, acknowledged_at = clock_timestamp(), captures = coalesce($6::text[], captures), captures_for = $7
  where sync = $1 and target = $2 and registration = $4::uuid and position is not distinct from $5 and detached_at is null
    and ($6::text[] is not null or captures_for = $8)
`;

export const writeStream = `
  insert into sarrio.stream as s (sync, target, state, runner, rows_per_second, last_round_at, last_error, last_error_at, reported_at)
  values ($1, $2, $3, $4, $5::double precision, $6::timestamptz, $7, case when $7::text is not null then clock_timestamp() end, clock_timestamp())
  on conflict (sync, target) do update set
    state = excluded.state,
    runner = excluded.runner,
    rows_per_second = excluded.rows_per_second,
    last_round_at = coalesce(excluded.last_round_at, s.last_round_at),
    last_error = coalesce(excluded.last_error, s.last_error),
    last_error_at = coalesce(excluded.last_error_at, s.last_error_at),
    reported_at = excluded.reported_at
`;

/** Whether the runner at work on a stream has said nothing of it for a minute; it does so every ten seconds. */
export const isSilent = `
  select clock_timestamp() - s.reported_at > interval '60 seconds' as is_silent
  from sarrio.stream as s
  where s.sync = $1 and s.target = $2
`;

/** Hashes of what is installed, to refuse a plan that was not applied. */
export const readInstalled = 'select kind, name, hash from sarrio.installed where project = $1';

/** Tables that a migration which is half way touches, for the plan from which it began. $1: project, $2: hash of the plan. */
export const readTouched = `
  select t.relation
  from sarrio.migration as m
  cross join unnest(m.touched) as t (relation)
  where m.project = $1 and m.plan = $2 and m.ended_at is null
`;

export const hasInstalled = "select to_regclass('sarrio.installed') is not null as exists";
