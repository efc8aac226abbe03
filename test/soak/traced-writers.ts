import type { Client } from 'pg';
import type { TestDatabase } from '../support/database.ts';
import { pause } from '../support/wait.ts';
import { isServerGone } from '../support/workload.ts';
import { type Chance, chanceFrom } from './faults.ts';
import { addChild, begunLine, claim, endedLine, move, put, remove, removeChild, type Step, TRACED, touch, truncate, type Traced } from './traced.sql.ts';

/** What clients were told to be on disk. */
export type Told = { readonly tokens: ReadonlyMap<Traced, readonly string[]>; readonly turns: readonly { readonly writer: string; readonly n: number }[] };

export type TracedWriters = { stop(): Promise<Told> };

type Turn = { readonly steps: readonly (readonly [table: Traced | null, step: Step])[]; readonly isOnDisk: boolean; readonly isKept: boolean };

const KEYS = 24;
/** More than rows, so that most claims are free at their own member. */
const MAILS = 36;
const PACE_MS = 30;
/** Rows of `merged` never go, so each is written for a while only: its trail stays short. */
const MERGED_FOR_MS = 2_000;

/** One writer at each member until stopped. */
export function startTracedWriters(members: Readonly<Record<string, TestDatabase>>, seed: number): TracedWriters {
  const state = { on: true };
  const told = { tokens: new Map(TRACED.map((table) => [table, [] as string[]])), turns: [] as { writer: string; n: number }[] };
  const writers = Object.entries(members).map(async ([writer, database], index) => {
    const chance = chanceFrom(seed * 31 + index);
    const link: { client: Client | null } = { client: null };
    for (let n = 1; state.on; n += 1) {
      const turn = turnOf(chance, { writer, n });
      try {
        link.client ??= await connected(database);
        const tokens = await play(link.client, turn, { writer, n });
        if (turn.isOnDisk && turn.isKept) {
          for (const [table, token] of tokens) told.tokens.get(table)?.push(token);
          told.turns.push({ writer, n });
        }
        await pause(PACE_MS);
      } catch (error) {
        if (!isServerGone(error) && !isRefused(error)) throw error;
        await link.client?.end().catch(() => undefined);
        link.client = null;
        await pause(50);
      }
    }
    await link.client?.end();
  });
  return {
    stop: async () => {
      state.on = false;
      await Promise.all(writers);
      return told;
    },
  };
}

async function connected(database: TestDatabase): Promise<Client> {
  const client = await database.connect();
  await client.query("set lock_timeout = '10s'; set idle_in_transaction_session_timeout = '20s'");
  return client;
}

/** One transaction; returns the tokens that it has put into rows. */
async function play(
  client: Client,
  { steps, isOnDisk, isKept }: Turn,
  { writer, n }: { writer: string; n: number },
): Promise<readonly (readonly [Traced, string])[]> {
  const tokens: [Traced, string][] = [];
  await client.query('begin');
  if (!isOnDisk) await client.query('set local synchronous_commit = off');
  await client.query(begunLine(writer, n));
  for (const [table, step] of steps) {
    const { rows } = await client.query<{ token?: string | null }>(step);
    for (const { token } of rows) if (table !== null && token) tokens.push([table, token]);
  }
  await client.query(endedLine(writer, n));
  await client.query(isKept ? 'commit' : 'rollback');
  return tokens;
}

/** What an application has to reckon with: a lock that is not given, a deadlock, a row that came or went meanwhile. */
function isRefused(error: unknown): boolean {
  return ['40P01', '55P03', '40001', '23503', '23505', '57014'].includes((error as { code?: string }).code ?? '');
}

/** Claims clash with those of other members only while they are on their way, so there are more of them. */
function stepOf(table: Traced, chance: Chance, { writer, n, key }: { writer: string; n: number; key: number }): Step {
  const [kind, name] = [chance(), `${writer}.${n}`];
  if (table === 'unique_mail' && kind < 0.5) return claim(name, key, Math.floor(chance() * MAILS));
  if (kind < 0.25) return put(table, name, key);
  if (kind < 0.65) return touch(table, name, key);
  return kind < 0.78 ? move(table, name, key) : remove(table, { writer, n, key });
}

function turnOf(chance: Chance, { writer, n }: { writer: string; n: number }): Turn {
  const key = Math.floor(chance() * KEYS);
  const name = `${writer}.${n}`;
  const table = (['latest', 'earliest', 'ranked', 'unique_mail'] as const)[Math.floor(chance() * 4)] ?? 'latest';
  const steps: (readonly [Traced | null, Step])[] =
    chance() < 0.015 ? truncate('earliest', { writer, n }).map((each) => [null, each] as const) : [[table, stepOf(table, chance, { writer, n, key })]];
  if (chance() < 0.4) steps.push(['merged', put('merged', name, Math.floor(Date.now() / MERGED_FOR_MS) % 1_000_000)]);
  if (chance() < 0.3) steps.push([null, chance() < 0.7 ? addChild(name, key) : removeChild(key)]);
  return { steps, isOnDisk: chance() < 0.7, isKept: chance() < 0.95 };
}
