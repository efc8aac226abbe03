import type { TestDatabase } from '../test/support/database.ts';
import { transaction } from './compared.sql.ts';

const CLIENTS = 3;

/** Writes into one of the shop's databases until stopped; then tells how many transactions there were. Each place has clients of its own. */
export function startTraffic(shop: TestDatabase, place: number): { stop(): Promise<number> } {
  const state = { on: true, transactions: 0 };
  const client = async (number: number): Promise<void> => {
    for (let turn = 0; state.on; turn += 1) {
      if (await commits(shop, transaction(number, turn))) state.transactions += 1;
    }
  };
  const ended = Promise.all(Array.from({ length: CLIENTS }, (_, number) => client(place * CLIENTS + number)));
  // Told by stop(); a demo that ends early takes the servers away from under its clients.
  ended.catch(() => undefined);
  return {
    stop: async () => {
      state.on = false;
      await ended;
      return state.transactions;
    },
  };
}

/** Clients of a busy shop meet, also those of the other side: a row that another moved meanwhile, a deadlock. As an application would, the client goes on. */
async function commits(shop: TestDatabase, text: string): Promise<boolean> {
  try {
    await shop.query(text);
    return true;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === '40001' || code === '40P01' || code === '23505') return false;
    throw error;
  }
}
