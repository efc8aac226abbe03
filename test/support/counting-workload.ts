import { expect } from 'vitest';
import type { MasterTableConfig } from '../../src/index.ts';
import type { TestDatabase } from './database.ts';
import { write } from './master-workload.ts';

/** Counters that all members add to, and a receipt for each time, written in the same transaction. */
export const COUNTING_SCHEMA = `
  create table counted (id integer primary key, n bigint not null, note text, other text);
  create table receipts (member text, n bigint, primary key (member, n));
`;
export const COUNTING_SEED = "insert into counted select g, 0, '', '' from generate_series(0, 4) as g";
export const COUNTING_TABLES: readonly MasterTableConfig[] = [
  { table: 'public.receipts' },
  { table: 'public.counted', onConflict: { counters: ['n'], columns: 'merge', otherwise: 'last-update-wins' } },
];

/** One client on each member, until stopped; the same five rows on all of them. */
export function startCounting(members: Readonly<Record<string, TestDatabase>>): { stop(): Promise<void> } {
  const state = { on: true };
  const writers = Object.entries(members).map(([name, database], index) =>
    write(state, 40, async (turn) => {
      const column = index % 2 === 0 ? 'note' : 'other';
      await database.script(
        `begin; update counted set n = n + 1, ${column} = '${name} ${turn}' where id = ${turn % 5}; insert into receipts values ('${name}', ${turn}); commit`,
      );
    }),
  );
  return {
    stop: async () => {
      state.on = false;
      await Promise.all(writers);
    },
  };
}

/** Each receipt was counted, and once. */
export async function expectCounted(members: readonly TestDatabase[]): Promise<void> {
  for (const member of members) {
    const [sums] = await member.query('select (select sum(n)::text from counted) as counted, (select count(*)::text from receipts) as receipts');
    expect(sums?.['counted']).toBe(sums?.['receipts']);
  }
}
