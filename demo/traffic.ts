import type { TestDatabase } from '../test/support/database.ts';
import { transaction } from './compared.sql.ts';

const CLIENTS = 4;

/** Writes into the shop until stopped; then tells how many transactions there were. */
export function startTraffic(shop: TestDatabase): { stop(): Promise<number> } {
  const state = { on: true, transactions: 0 };
  const client = async (number: number): Promise<void> => {
    for (let turn = 0; state.on; turn += 1) {
      await shop.query(transaction(number, turn));
      state.transactions += 1;
    }
  };
  const clients = Array.from({ length: CLIENTS }, (_, number) => client(number));
  return {
    stop: async () => {
      state.on = false;
      await Promise.all(clients);
      return state.transactions;
    },
  };
}
