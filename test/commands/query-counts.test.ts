import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { verb as apply } from '../../src/commands/apply.ts';
import { verb as compile } from '../../src/commands/compile.ts';
import { verb as plan } from '../../src/commands/plan.ts';
import { verb as pull } from '../../src/commands/pull.ts';
import type { Verb } from '../../src/commands/verb.ts';
import { runVerb } from '../support/run-verb.ts';
import { startServer, type TestServer } from '../support/server.ts';

const CONFIG = `import { defineReplication, env } from 'sarrio';
export default defineReplication({
  databases: { east: env('EAST_URL'), west: env('WEST_URL') },
  syncs: { copy: { mode: 'one-way', source: 'east', targets: ['west'], tables: ['public.*'] } },
});
`;

let server: TestServer;

beforeAll(async () => {
  server = await startServer({ durable: false });
}, 120_000);

afterAll(() => server?.dispose());

/** Queries of every kind that a verb sends, by database, those with which sessions begin included. */
async function counted(verb: Verb, args: readonly string[], at: { cwd: string; env: Record<string, string> }): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const query = vi.spyOn(Client.prototype, 'query');
  try {
    expect((await runVerb(verb, args, at)).exit).toBe('ok');
    for (const client of query.mock.contexts) {
      const database = (client as unknown as { database: string }).database.replace(/_.*/, '');
      counts[database] = (counts[database] ?? 0) + 1;
    }
  } finally {
    query.mockRestore();
  }
  return counts;
}

/** Of pull, of plan, and of plan after apply. */
async function countsFor(tables: number): Promise<readonly Record<string, number>[]> {
  const cwd = await mkdtemp(join(tmpdir(), 'sarrio-counts-'));
  const names = ['east', 'west'].map((name) => `${name}_${tables}`);
  const script = Array.from({ length: tables }, (_, index) => `create table public.table_${index} (id bigint primary key, note text);`).join('\n');
  for (const name of names) {
    const database = await server.createDatabase(name);
    await database.script(script);
    await database.close();
  }
  const at = { cwd, env: { EAST_URL: server.url(`east_${tables}`), WEST_URL: server.url(`west_${tables}`) } };
  try {
    await writeFile(join(cwd, 'replication.config.ts'), CONFIG);
    const pulled = await counted(pull, [], at);
    await runVerb(compile, [], at);
    const planned = await counted(plan, [], at);
    await runVerb(apply, [], at);
    return [pulled, planned, await counted(plan, [], at)];
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}

test('pull and plan send as many queries for 200 tables as for 10, and no more than eight', async () => {
  const [pulled, planned, again] = await countsFor(10);
  expect(await countsFor(200)).toEqual([pulled, planned, again]);
  // One with which the session begins, one for the relations, one for all about them.
  expect(pulled).toEqual({ east: 3, west: 3 });
  // Four that begin two sessions and tell that no pooler is in between, the lock, two for the snapshot; and which targets hold rows.
  expect(planned).toEqual({ east: 7, west: 8 });
  expect(again).toEqual({ east: 7, west: 8 });
});
