import type { TestDatabase } from './database.ts';
import { pause } from './wait.ts';

const ROWS = 1_000;
/** The writers leave the runner its share of two cores: a test of crashes, not of load. */
const PACE_MS = 10;

/** What all accounts hold together, at every moment. */
export const MONEY = 20 * 100;

export const TABLES = ['public.accounts', 'public.ledger', 'public.items', 'public.scratch'];

export const WORKLOAD = `
  create table accounts (id integer primary key, balance integer not null);
  create table ledger (id bigserial primary key, note text);
  create table items (id integer primary key, v integer);
  create table scratch (a integer, b text, primary key (a, b));
`;

export const ACCOUNTS = `
  insert into accounts select g, 100 from generate_series(1, 20) g;
  insert into items select g, 0 from generate_series(1, ${ROWS}) g;
`;

/** On the target: counts every insert into the insert-only table, replicated ones too. */
export const COUNTER = `
  create table applied (id bigint);
  create function count_applied() returns trigger language plpgsql as 'begin insert into public.applied values (new.id); return null; end';
  create trigger count_applied after insert on ledger for each row execute function count_applied();
  alter table ledger enable always trigger count_applied;
`;

export type Workload = { stop(): Promise<void> };

/** Four writers on the source, until stopped. They go on after their server was gone. */
export function startWorkload(source: TestDatabase): Workload {
  const state = { on: true };
  const writers = [transfers, bulk, churn, scratching].map((writer) => loop(state, source, writer));
  return {
    stop: async () => {
      state.on = false;
      await Promise.all(writers);
    },
  };
}

type Writer = (turn: number) => string;

async function loop(state: { on: boolean }, source: TestDatabase, writer: Writer): Promise<void> {
  for (let turn = 0; state.on; turn += 1) {
    try {
      await source.query(writer(turn));
      await pause(PACE_MS);
    } catch (error) {
      if (!isServerGone(error)) throw error;
      await pause(50);
    }
  }
}

function isServerGone(error: unknown): boolean {
  const { code = '', message = '' } = error as { code?: string; message?: string };
  return /^(57P0[123]|ECONN|EPIPE|08)/.test(code) || /terminated|Connection ended|connection error/i.test(message);
}

/** Moves money and writes the ledger in one transaction, often without waiting for the disk. */
function transfers(turn: number): string {
  const [from, to] = [1 + (turn % 20), 1 + ((turn * 7 + 3) % 20)];
  return `begin; set local synchronous_commit = ${turn % 3 === 0 ? 'on' : 'off'};
    update accounts set balance = balance - 1 where id = ${from}; update accounts set balance = balance + 1 where id = ${to};
    insert into ledger (note) values ('t'); ${turn % 5 === 0 ? 'rollback' : 'commit'}`;
}

function bulk(turn: number): string {
  return `insert into ledger (note) select 'b${turn}' from generate_series(1, 250)`;
}

function churn(turn: number): string {
  return `begin; update items set v = v + 1 where id % 3 = ${turn % 3}; delete from items where id % 50 = ${turn % 50};
    insert into items select g, ${turn} from generate_series(1, ${ROWS}) g on conflict do nothing; commit`;
}

function scratching(turn: number): string {
  if (turn % 20 === 19) return "begin; truncate scratch; insert into scratch values (0, 'first'); commit";
  return `begin; insert into scratch values (${turn % 40}, 'x') on conflict do nothing; update scratch set a = a + 1000 where a = ${(turn * 3) % 40} and b = 'x' and not exists (select from scratch s where s.a = ${((turn * 3) % 40) + 1000}); commit`;
}
