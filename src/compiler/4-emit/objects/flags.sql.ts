import { type Sql, sql } from '../../../sql/sql.ts';

/**
 * Purpose: sequences as flags, which no snapshot hides and no rollback undoes: who is to be woken, and which delta tables are filled.
 * Reads, writes: only objects of ours. Called by: `emitBookkeeping`.
 */
/**
 * Called by capture triggers that find the runner asleep. NOTIFY would forbid PREPARE TRANSACTION to the application, so where the
 * server allows prepared transactions the flag is set to 3 (kicked) instead, which no rollback undoes and which the runner polls.
 *
 * NOTIFY takes a lock that all committing notifiers of the server share, so a runner that went away while the flag was armed must not
 * leave every transaction notifying: whoever finds the lock that a listening runner holds free takes the flag back to 1 (busy). A
 * runner that comes at that moment takes the lock first and arms afterwards; where its flag is taken back all the same, it notices.
 */
export const wakeFunctionBlock: Sql = sql`
  create or replace function sarrio.wake(sync text, flag regclass) returns void
  language plpgsql
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  as $sarrio$
  begin
    if pg_catalog.current_setting('max_prepared_transactions') operator(pg_catalog.<>) '0' then
      perform pg_catalog.setval(flag, 3);
      return;
    end if;
    begin
      if pg_catalog.pg_try_advisory_xact_lock(pg_catalog.hashtextextended('sarrio listens: ' operator(pg_catalog.||) sync, 0)) then
        -- Taken back at once: a lock kept to the end of the transaction would keep a runner waiting.
        raise exception using errcode = 'SR001';
      end if;
    exception when sqlstate 'SR001' then
      perform pg_catalog.setval(flag, 1);
      return;
    end;
    perform pg_catalog.pg_notify('sarrio', sync);
  end
  $sarrio$;
  revoke all on function sarrio.wake(text, regclass) from public;
`;

/**
 * In a source: its value changes whenever the first change comes into an empty delta table, and after one was marked empty. So a round
 * that finds the value which it knows need not read the flags of a thousand tables again.
 */
export const fillingsBlock: Sql = sql`
  create sequence if not exists sarrio.fillings as bigint;
  revoke all on sequence sarrio.fillings from public;
`;

/**
 * Called by whoever has written an entry and does not find the table's flag at 2. The flag says 2 only when `fillings` has changed since
 * it last said 1: in between it says nothing (null), and whoever meets it so, perhaps because the first one was killed right there,
 * does all of this himself.
 */
export const markFilledBlock: Sql = sql`
  create or replace function sarrio.mark_filled(flag regclass) returns void
  language plpgsql
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  as $sarrio$
  begin
    perform pg_catalog.setval(flag, 2, false);
    perform pg_catalog.nextval('sarrio.fillings'::pg_catalog.regclass);
    perform pg_catalog.setval(flag, 2);
  end
  $sarrio$;
  revoke all on function sarrio.mark_filled(regclass) from public;
`;

/** A sequence as a flag that no snapshot can hide: 1 = the runner is busy, 2 = it sleeps, wake it (armed), 3 = kicked. */
export function wakeSequenceBlock(sequence: Sql): Sql {
  return sql`
    create sequence if not exists ${sequence} as bigint minvalue 1 maxvalue 3 start with 1 no cycle;
    revoke all on sequence ${sequence} from public;
  `;
}
