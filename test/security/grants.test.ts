import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { VERBS } from '../../src/commands/verbs.ts';
import { lendReplicationRole } from '../../src/runner/5-inspect/tables.sql.ts';
import type { TestDatabase } from '../support/database.ts';
import { roleUrl } from '../support/roles.ts';
import { type Outcome, runVerb } from '../support/run-verb.ts';
import { defaultMajor, startServer, type TestServer } from '../support/server.ts';

/** Every kind of thing that a role may need a right on: tables in two schemas, a partition, sequences that are carried, a TRUNCATE. */
const ROLES = "roles: { owner: 'sarrio_owner', runner: 'sarrio \"runner\"', reader: 'sarrio_reader' }";
const CONFIG = `export default {
  databases: { shop: { env: 'SHOP_URL', ${ROLES} }, copy: { env: 'COPY_URL', ${ROLES} } },
  syncs: {
    follow: { mode: 'one-way', source: 'shop', targets: ['copy'], tables: ['public.orders', 'public.parts', 'extra."odd Name"'], sequences: 'carry' },
    group: { mode: 'multi-master', members: ['shop', 'copy'], tables: ['public.notes'], onConflict: 'last-update-wins', sequences: 'ignore' },
    nightly: { mode: 'full-copy', method: 'truncate', source: 'shop', targets: ['copy'], tables: ['public.totals'] },
  },
};
`;
const TABLES = `
  create schema extra;
  create table public.orders (id serial primary key, note text);
  create table public.parts (id integer primary key, note text) partition by range (id);
  create table public.parts_low partition of public.parts for values from (0) to (100);
  create table extra."odd Name" (id integer primary key);
  create table public.notes (id serial primary key, note text);
  create table public.totals (id integer primary key, total integer);
`;

describe.each([14, defaultMajor()] as const)('generated/grants on PostgreSQL %s', (major) => {
  let server: TestServer;
  let dir: string;
  let databases: { readonly shop: TestDatabase; readonly copy: TestDatabase };
  const grants = { shop: '', copy: '' };

  const as = async (role: string | null, name: string, ...args: readonly string[]): Promise<Outcome> => {
    const verb = await VERBS.find((each) => each.name === name)?.load();
    if (!verb) throw new Error(`there is no verb ${name}`);
    const url = (database: TestDatabase): string => (role === null ? database.url : roleUrl(database, role));
    return runVerb(verb, args, { cwd: dir, env: { SHOP_URL: url(databases.shop), COPY_URL: url(databases.copy) } });
  };
  const faults = ({ diagnostics }: Outcome): readonly string[] =>
    diagnostics.filter(({ severity }) => severity === 'error').map(({ code, message }) => `${code} ${message}`);
  const runGrants = async (): Promise<void> => {
    for (const name of ['shop', 'copy'] as const) await databases[name].script(grants[name]);
  };

  beforeAll(async () => {
    server = await startServer({ major, durable: false });
    databases = { shop: await server.createDatabase('shop'), copy: await server.createDatabase('copy') };
    for (const database of Object.values(databases)) {
      await database.script(`revoke all on database ${database.name} from public; revoke all on schema public from public; ${TABLES}`);
    }
    dir = await mkdtemp(join(tmpdir(), 'sarrio-grants-'));
    await mkdir(join(dir, 'generated'));
    await writeFile(join(dir, 'replication.config.js'), CONFIG);
    await writeFile(join(dir, 'package.json'), '{ "type": "module" }');
    for (const verb of ['pull', 'compile']) expect(faults(await as(null, verb))).toEqual([]);
    for (const name of ['shop', 'copy'] as const) grants[name] = await readFile(join(dir, 'generated', 'grants', `${name}.sql`), 'utf8');
    await runGrants();
    await runGrants();
    if (major < 15) for (const database of Object.values(databases)) await database.script(lendReplicationRole('sarrio "runner"'));
  }, 120_000);

  afterAll(async () => {
    await Promise.all(Object.values(databases ?? {}).map((database) => database.close()));
    await server?.dispose();
    await rm(dir, { recursive: true, force: true });
  });

  test('are all that the three roles need for their verbs', async () => {
    const planned = await as('sarrio_owner', 'plan');
    expect({ exit: planned.exit, faults: faults(planned) }).toEqual({ exit: 'ok', faults: [] });
    expect(faults(await as('sarrio_owner', 'apply'))).toEqual([]);
    await databases.shop.script(`insert into orders (note) values ('a'); insert into parts values (1, 'b'); insert into extra."odd Name" values (1);
      insert into notes (note) values ('c'); insert into totals values (1, 1)`);
    expect(faults(await as('sarrio "runner"', 'run', '--until-caught-up'))).toEqual([]);
    expect(await databases.copy.query('select note from orders union all select note from parts union all select note from notes')).toHaveLength(3);
    for (const words of [['status', '--exit-code'], ['verify'], ['plan'], ['diff'], ['doctor']]) {
      const [verb = '', ...args] = words;
      expect(faults(await as('sarrio_reader', verb, ...args)), verb).toEqual([]);
    }
    expect((await as('sarrio_reader', 'verify')).exit).toBe('ok');
  });

  test('hold no right of the runner that is not needed: each one that is taken away is missed, and given back by the file', async () => {
    const lines = (['shop', 'copy'] as const).flatMap((name) =>
      grants[name].split('\n').flatMap((line) => {
        const [, rights, on] = /^grant (.+) on ((?:table|sequence) .+) to "sarrio ""runner"""[;]$/.exec(line) ?? [];
        return rights === undefined ? [] : rights.split(', ').map((right) => ({ name, right, on }));
      }),
    );
    expect(lines.length).toBeGreaterThan(20);
    for (const { name, right, on } of lines) {
      await databases[name].script(`revoke ${right} on ${on} from "sarrio ""runner"""`);
      const missed = faults(await as('sarrio_owner', 'plan'));
      expect(missed, `${right} on ${on} of ${name}`).not.toEqual([]);
      await runGrants();
    }
    expect(faults(await as('sarrio_owner', 'plan'))).toEqual([]);
  });
});
