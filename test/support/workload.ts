import type { TestDatabase } from './database.ts';
import { pause } from './wait.ts';

const ROWS = 1_000;
/** Enough that a round stages them. */
const SLOTS = 240;
/** The writers leave the runner its share of two cores: a test of crashes, not of load. */
const PACE_MS = 100;

/** What all accounts hold together, at every moment. */
export const MONEY = 20 * 100;

export const TABLES = ['public.accounts', 'public.ledger', 'public.items', 'public.scratch', 'public.slots'];

export const WORKLOAD = `
  create table accounts (id integer primary key, balance integer not null, moves integer not null default 0);
  create table ledger (id bigserial primary key, note text);
  create index on ledger (id) where note = 't';
  create table items (id integer primary key, v integer);
  create table scratch (a integer, b text, primary key (a, b));
  create table slots (id integer primary key, place integer, constraint slots_place unique (place) deferrable);
`;

export const ACCOUNTS = `
  insert into accounts select g, 100 from generate_series(1, 20) g;
  insert into items select g, 0 from generate_series(1, ${ROWS}) g;
  insert into slots select g, g from generate_series(1, ${SLOTS}) g;
`;

/** On the target: counts every insert into the insert-only table, replicated ones too; and a unique key that is checked row by row, so that places cannot be swapped in any order. */
export const COUNTER = `
  alter table slots drop constraint slots_place, add constraint slots_place unique (place);
  create table applied (id bigint);
  create function count_applied() returns trigger language plpgsql as 'begin insert into public.applied values (new.id); return null; end';
  create trigger count_applied after insert on ledger for each row execute function count_applied();
  alter table ledger enable always trigger count_applied;
`;

/**
 * What no reader may ever see otherwise, across two tables: every transfer keeps the sum of the balances, counts two moves and writes
 * one line into the ledger. One statement, one snapshot.
 */
export const INVARIANT = `
  select a.balance::int as balance, (a.moves - 2 * l.transfers)::int as half
  from (select sum(balance) as balance, sum(moves) as moves from accounts) as a,
    (select count(*) as transfers from ledger where note = 't') as l
`;

export type Workload = { stop(): Promise<void> };

export type WorkloadOptions = {
  readonly paceMs?: number;
  /** Rows of each large insert. */
  readonly bulkRows?: number;
};

/** Four writers on the source, until stopped. They go on after their server was gone. */
export function startWorkload(source: TestDatabase, { paceMs = PACE_MS, bulkRows = 50 }: WorkloadOptions = {}): Workload {
  const state = { on: true };
  const bulk: Writer = (turn) => `insert into ledger (note) select 'b${turn}' from generate_series(1, ${turn % 8 === 0 ? 250 : bulkRows})`;
  // One turn of `churn` changes a third of its table: enough for a round to stage it, and too much for every turn of the others.
  const paces: readonly (readonly [Writer, number])[] = [
    [transfers, paceMs],
    [bulk, paceMs],
    [churn, 2 * paceMs],
    [scratching, paceMs],
  ];
  const writers = paces.map(([writer, pace]) => loop({ state, source, writer, paceMs: pace }));
  return {
    stop: async () => {
      state.on = false;
      await Promise.all(writers);
    },
  };
}

type Writer = (turn: number) => string;

async function loop(parts: { state: { on: boolean }; source: TestDatabase; writer: Writer; paceMs: number }): Promise<void> {
  const { state, source, writer, paceMs } = parts;
  for (let turn = 0; state.on; turn += 1) {
    try {
      await source.query(writer(turn));
      await pause(paceMs);
    } catch (error) {
      // A test that failed has closed its database and left its writers behind; they must not fail the next one.
      if (/after calling end on the pool/.test(String(error))) return;
      if (!isServerGone(error)) throw error;
      await pause(50);
    }
  }
}

/** What a client sees of a server that stops, starts or was cut off. */
export function isServerGone(error: unknown): boolean {
  const { code = '', message = '' } = error as { code?: string; message?: string };
  return /^(57P0[123]|ECONN|EPIPE|08)/.test(code) || /terminated|Connection ended|connection error|not queryable/i.test(message);
}

/** Moves money and writes the ledger in one transaction, often without waiting for the disk. */
function transfers(turn: number): string {
  const [from, to] = [1 + (turn % 20), 1 + ((turn * 7 + 3) % 20)];
  return `begin; ${turn % 3 === 0 ? '' : 'set local synchronous_commit = off;'}
    update accounts set balance = balance - 1, moves = moves + 1 where id = ${from};
    update accounts set balance = balance + 1, moves = moves + 1 where id = ${to};
    insert into ledger (note) values ('t'); ${turn % 5 === 0 ? 'rollback' : 'commit'}`;
}

/** Updates, and rows that go and come. */
function churn(turn: number): string {
  return `begin; insert into items select g, ${turn} from generate_series(1, ${ROWS}) g on conflict do nothing;
    update items set v = v + 1 where id % 3 = ${turn % 3}; delete from items where id % 50 = ${turn % 50};
    ${turn % 3 === 0 ? `update slots set place = ${SLOTS + 1} - place;` : ''} commit`;
}

function scratching(turn: number): string {
  if (turn % 8 === 7) return "begin; truncate scratch; insert into scratch values (0, 'first'); commit";
  return `begin; insert into scratch values (${turn % 40}, 'x') on conflict do nothing; update scratch set a = a + 1000 where a = ${(turn * 3) % 40} and b = 'x' and not exists (select from scratch s where s.a = ${((turn * 3) % 40) + 1000}); commit`;
}
