import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VERBS } from '../../src/commands/verbs.ts';
import type { ExitName } from '../../src/plan/errors.ts';
import { lendReplicationRole } from '../../src/runner/5-inspect/tables.sql.ts';
import type { Major } from '../support/binaries.ts';
import type { TestDatabase } from '../support/database.ts';
import { roleUrl, runHints } from '../support/roles.ts';
import { type Outcome, runVerb } from '../support/run-verb.ts';
import { startServer } from '../support/server.ts';

/** Who calls a verb. `nobody` has no connection string at all. */
export type Caller = 'owner' | 'runner' | 'reader' | 'nobody';

/** Two databases with a sync of each mode, the roles that the README names, none of them a superuser, and a table owner who is none of them. */
export type VerbPlace = {
  readonly shop: TestDatabase;
  readonly copy: TestDatabase;
  readonly dir: string;
  /** What was called so far. */
  readonly calls: readonly { readonly caller: Caller; readonly verb: string; readonly exit: ExitName }[];
  /** `sarrio …` as that role, `init` in a folder of its own. */
  sarrio(caller: Caller, ...words: readonly string[]): Promise<Outcome>;
  /** As the owner, with every hazard approved by its name. */
  approving(...words: readonly string[]): Promise<Outcome>;
  /** Runs what diagnostics say, in the database that each one names. */
  takeHints(outcome: Outcome): Promise<void>;
  end(): Promise<void>;
};

const CONFIG = `export default {
  project: 'shop',
  databases: {
    shop: { env: 'SHOP_URL', roles: { runner: 'sarrio_runner', reader: 'sarrio_reader' } },
    copy: { env: 'COPY_URL', roles: { runner: 'sarrio_runner', reader: 'sarrio_reader' } },
  },
  syncs: {
    follow: { mode: 'one-way', source: 'shop', targets: ['copy'], tables: ['public.orders', 'public.later'], sequences: 'carry', guard: { truncate: true } },
    group: { mode: 'multi-master', members: ['shop', 'copy'], tables: ['public.notes'], onConflict: 'last-update-wins' },
    nightly: { mode: 'full-copy', source: 'shop', targets: ['copy'], tables: ['public.totals'] },
  },
};
`;

const TABLES = `
  create table public.orders (id serial primary key, note text);
  create table public.notes (id serial primary key, note text);
  create table public.totals (id integer primary key, total integer);
`;

/** What the README says that each role is given by hand; the runner's rights come from what \`plan\` says. */
const GRANTS = `
  grant connect on database DATABASE to sarrio_owner, sarrio_runner, sarrio_reader;
  grant create on database DATABASE to sarrio_owner;
  grant temporary on database DATABASE to sarrio_reader;
  grant usage on schema public to sarrio_owner, sarrio_runner, sarrio_reader;
  grant select on all tables in schema public to sarrio_reader;
  grant select on all sequences in schema public to sarrio_reader;
`;

/** A server of its own, since roles and rights on parameters are the whole server's. */
export async function verbPlace(major: Major): Promise<VerbPlace> {
  const server = await startServer({ major, durable: false });
  const [shop, copy] = [await server.createDatabase('shop'), await server.createDatabase('copy')];
  await shop.script(`create role shop_owner; ${['owner', 'runner', 'reader'].map((name) => `create role sarrio_${name} login;`).join('')}`);
  for (const database of [shop, copy]) {
    await database.script(`revoke all on database ${database.name} from public; revoke all on schema public from public;
      grant create, usage on schema public to shop_owner; set role shop_owner; ${TABLES}`);
    await database.script(GRANTS.replaceAll('DATABASE', database.name));
  }
  await shop.script('set role shop_owner; create table public.later (id integer primary key)');
  await shop.script('grant select on public.later to sarrio_reader');
  if (major < 15) for (const database of [shop, copy]) await database.script(lendReplicationRole('sarrio_runner'));
  const dir = await mkdtemp(join(tmpdir(), 'sarrio-verbs-'));
  await mkdir(join(dir, 'begun'));
  await writeFile(join(dir, 'replication.config.js'), CONFIG);
  await writeFile(join(dir, 'package.json'), '{ "type": "module" }');
  const calls: VerbPlace['calls'][number][] = [];
  const sarrio: VerbPlace['sarrio'] = async (caller, ...words) => {
    const [name = '', ...args] = words;
    const verb = VERBS.find((each) => each.name === name);
    if (!verb) throw new Error(`there is no verb ${name}`);
    const as = (database: TestDatabase): string => roleUrl(database, `sarrio_${caller}`);
    const env = caller === 'nobody' ? {} : { SHOP_URL: as(shop), COPY_URL: as(copy) };
    const cwd = name === 'init' ? join(dir, 'begun') : dir;
    const outcome = await runVerb(await verb.load(), args, { cwd, env: { ...env, USER: 'tester' } });
    calls.push({ caller, verb: name, exit: outcome.exit });
    return outcome;
  };
  return {
    ...{ shop, copy, dir, calls, sarrio },
    approving: async (...words) => {
      const refused = await sarrio('owner', ...words);
      const hazards = refused.diagnostics.flatMap(({ code, message }) => (code === 'SAR502' ? (message.split(' is not approved: ')[0] ?? '') : []));
      return hazards.length === 0 ? refused : sarrio('owner', ...words, ...hazards.flatMap((hazard) => ['--allow', hazard]));
    },
    takeHints: async ({ diagnostics }) => {
      for (const each of diagnostics) await runHints(each.where?.startsWith('database copy') ? copy : shop, [each]);
    },
    end: async () => {
      await Promise.all([shop.close(), copy.close()]);
      await server.dispose();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
