import type { Client } from 'pg';
import { expect, onTestFinished } from 'vitest';
import type { OneWaySync } from '../../src/index.ts';
import type { TestDatabase } from './database.ts';
import { freshDatabase } from './databases.ts';
import { catchUp } from './follow.ts';
import { type Installation, installation } from './installation.ts';
import { pause } from './wait.ts';

export const CUT_SCHEMA = `
  create table orders (id bigserial primary key, who text, n integer);
  create table parts (k integer, region integer, v text, primary key (k, region)) partition by list (region);
  create table parts_1 partition of parts for values in (1);
  create table parts_2 partition of parts for values in (2);
`;

export type Cutting = { readonly source: TestDatabase; readonly target: TestDatabase; readonly project: Installation };

/** A source with rows and a target that follows it, copied and caught up. */
export async function cutting(sync: Partial<OneWaySync> = {}, more = ''): Promise<Cutting> {
  const [source, target] = [await freshDatabase('source'), await freshDatabase('target')];
  for (const database of [source, target]) await database.script(CUT_SCHEMA + more);
  await source.script(
    "insert into orders (who, n) select 'seed', g from generate_series(1, 50) g; insert into parts select g, 1 + g % 2, 'x' from generate_series(1, 20) g",
  );
  const syncs: Readonly<Record<string, OneWaySync>> = {
    s: { mode: 'one-way', source: 'source', targets: ['target'], tables: ['public.orders', 'public.parts'], sequences: 'carry', ...sync },
  };
  const project = await installation({ databases: { source, target }, syncs });
  expect((await project.apply()).diagnostics).toEqual([]);
  await catchUp(project);
  return { source, target, project };
}

/** Everything that a cut-over could leave behind on users' tables: triggers, and rights down to columns. */
export async function doors(database: TestDatabase): Promise<unknown> {
  return database.query(`
    select c.relname, c.relacl::text as acl,
      (select string_agg(a.attname::text || a.attacl::text, ' ' order by a.attnum) from pg_attribute as a where a.attrelid = c.oid and a.attacl is not null) as columns,
      (select string_agg(t.tgname::text || t.tgenabled::text, ' ' order by t.tgname) from pg_trigger as t where t.tgrelid = c.oid and not t.tgisinternal) as triggers
    from pg_class as c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'S') order by 1`);
}

/** What writing gives: null, or the SQLSTATE. */
export async function refusal(database: TestDatabase, statement: string): Promise<string | null> {
  return database.query(statement).then(
    () => null,
    (error: { code?: string }) => error.code ?? String(error),
  );
}

export type Application = {
  /** Ids that the source has said to be committed, in the order of the answers. */
  readonly acknowledged: readonly number[];
  readonly refused: () => number;
  stop(): Promise<void>;
};

/** Sessions that write several tables in each transaction, until stopped; whatever but the closed door fails them. */
export async function startApplication(database: TestDatabase, sessions = 4): Promise<Application> {
  const state = { on: true, refused: 0 };
  const acknowledged: number[] = [];
  const work = async (client: Client, who: number): Promise<void> => {
    for (let turn = 0; state.on; turn += 1) {
      try {
        await client.query('begin');
        const { rows } = await client.query<{ id: string }>('insert into orders (who, n) values ($1, $2) returning id', [`app ${who}`, turn]);
        await client.query("insert into parts values ($1, 1, 'new') on conflict (k, region) do update set v = 'again'", [100 + who]);
        if (turn % 4 === 3) await client.query('delete from orders where id = $1 and n < 0', [rows[0]?.id]);
        await client.query('commit');
        acknowledged.push(Number(rows[0]?.id));
        await pause(5);
      } catch (error) {
        await client.query('rollback');
        if ((error as { code?: string }).code !== '25006') throw error;
        state.refused += 1;
        await pause(20);
      }
    }
    await client.end();
  };
  const clients = await Promise.all(Array.from({ length: sessions }, () => database.connect()));
  const working = Promise.all(clients.map(work));
  const stop = async (): Promise<void> => {
    state.on = false;
    await working;
  };
  onTestFinished(stop);
  return { acknowledged, refused: () => state.refused, stop };
}
