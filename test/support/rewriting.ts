import type { TestDatabase } from './database.ts';
import { waitUntil } from './wait.ts';

export type Rewriting = {
  /** Lets all of them come, unless they have had to wait already, and returns when they are through or wait. */
  begin(): Promise<void>;
  /** How often one had to wait. */
  waited(): number;
  /** Resolves when all are through. */
  end(): Promise<void>;
};

const MANY = 12;
const WAITING = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query ~ '^(truncate|vacuum)'";

/** Applications that come again and again until they have to wait; at most so often, or what never comes through would never end. */
export function rewriting(source: TestDatabase, statements: readonly ((turn: number) => string)[]): Rewriting {
  const state = { begun: 0, waited: 0, open: 0 };
  const all: Promise<unknown>[] = [];
  const start = (statement: string): void => {
    state.open += 1;
    all.push(source.script(statement).finally(() => (state.open -= 1)));
  };
  return {
    waited: () => state.waited,
    begin: async () => {
      if (state.open > 0 || state.waited > 0) return;
      state.begun += 1;
      if (state.begun > MANY) throw new Error(`the runner came too late ${MANY} times`);
      for (const statement of statements) start(statement(state.begun));
      await waitUntil('the applications are through, or wait for the runner', async () => {
        const waiting = (await source.query(WAITING)).length;
        if (state.open > waiting) return false;
        state.waited += waiting;
        return true;
      });
    },
    end: async () => void (await Promise.all(all)),
  };
}
