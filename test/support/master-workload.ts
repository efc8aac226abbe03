import type { TestDatabase } from './database.ts';
import { pause } from './wait.ts';
import { isServerGone } from './workload.ts';

/** Contested by all members; a journal to which each only adds, so that nothing in it can be in conflict; a table with a second unique index that only one member writes. */
export const MASTER_SCHEMA = `
  create table stock (id integer primary key, what text, n integer not null default 0);
  create table parts (a integer, b text, v text, primary key (a, b));
  create table journal (member text, n bigint, note text, primary key (member, n));
`;

export const MASTER_TABLES = ['public.stock', 'public.parts', 'public.journal'];

/** Counts how often each line of the journal arrives. */
export const ARRIVALS = `
  create table arrived (member text, n bigint);
  create function count_arrival() returns trigger language plpgsql as 'begin insert into public.arrived values (new.member, new.n); return null; end';
  create trigger count_arrival after insert on journal for each row execute function count_arrival();
  alter table journal enable always trigger count_arrival;
`;

export type MasterWorkload = {
  /** Ends the writers; returns, for each member, the lines of the journal that its clients were told to be committed. */
  stop(): Promise<ReadonlyMap<string, readonly number[]>>;
};

/** Two writers on each member, until stopped. They go on after their server was gone. */
export function startMasterWorkload(members: Readonly<Record<string, TestDatabase>>, { paceMs = 20, keys = 40 } = {}): MasterWorkload {
  const state = { on: true };
  const told = new Map(Object.keys(members).map((name) => [name, [] as number[]]));
  const writers = Object.entries(members).flatMap(([name, database], index) => [
    write(state, paceMs, (turn) => database.script(contested(turn * 7 + index * 3, { keys, name }))),
    write(state, paceMs, async (turn) => {
      await database.script(`begin; insert into journal values ('${name}', ${turn}, 'x'); update stock set n = n + 1 where id = ${turn % keys}; commit`);
      told.get(name)?.push(turn);
    }),
  ]);
  return {
    stop: async () => {
      state.on = false;
      await Promise.all(writers);
      return told;
    },
  };
}

/** One transaction after the other until the state is off; what an application has to reckon with is passed over. */
export async function write(state: { on: boolean }, paceMs: number, step: (turn: number) => Promise<void>): Promise<void> {
  for (let turn = 1; state.on; turn += 1) {
    try {
      await step(turn);
      await pause(paceMs);
    } catch (error) {
      if (!isServerGone(error) && !isRefused(error)) throw error;
      await pause(50);
    }
  }
}

/** What an application has to reckon with: a lock that is not given, a deadlock with a round, a key that a row has taken which just arrived. */
function isRefused(error: unknown): boolean {
  return ['40P01', '55P03', '40001', '23505'].includes((error as { code?: string }).code ?? '');
}

/** Rows that come, change, change their keys and go, on all members at once; now and then without waiting for the disk, now and then rolled back. */
function contested(turn: number, { keys, name }: { keys: number; name: string }): string {
  const key = turn % keys;
  const steps = [
    `insert into stock values (${key}, '${name} ${turn}', 1) on conflict (id) do update set what = excluded.what`,
    `update stock set what = '${name} ${turn}', n = n + 1 where id between ${key} and ${key + 3}`,
    `delete from stock where id = ${key}`,
    `insert into parts values (${key}, 'b', '${name} ${turn}') on conflict (a, b) do update set v = excluded.v`,
    `update parts set a = a + ${keys} where a = ${key} and not exists (select from parts as p where p.a = ${key + keys})`,
    `delete from parts where a = ${key + keys}; update parts set v = '${name} ${turn}' where a < 5`,
  ];
  const step = steps[turn % steps.length] ?? '';
  return `begin; ${turn % 3 === 0 ? 'set local synchronous_commit = off;' : ''} ${step}; ${turn % 11 === 0 ? 'rollback' : 'commit'}`;
}
