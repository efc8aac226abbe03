import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { describe, expect, test, vi } from 'vitest';
import { verb as doctorVerb } from '../../src/commands/doctor.ts';
import { bundleText } from '../../src/commands/doctor-bundle.ts';
import type { Inspection } from '../../src/runner/5-inspect/inspection.ts';
import { examine } from '../../src/runner/6-diff/doctor/examine.ts';
import type { Finding, Patient } from '../../src/runner/6-diff/doctor/finding.ts';
import { type Health, readHealth } from '../../src/runner/6-diff/doctor/read-health.ts';
import { systemClock } from '../../src/runner/clock.ts';
import { connect } from '../../src/runner/postgres/session.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { runVerb } from '../support/run-verb.ts';
import { type Shop, shopSync, smallShop } from '../support/shop.ts';
import { waitUntil } from '../support/wait.ts';
import type { StreamStatus } from '../../src/runner/8-round/stream-status.ts';

async function doctor({ project }: Shop, env = project.env) {
  const outcome = await runVerb(doctorVerb, ['--generated', project.dir], { cwd: project.dir, env });
  const { findings } = outcome.data as { findings: readonly Finding[] };
  // How full this machine's disk is says nothing of the program.
  return { outcome, findings, found: findings.filter(({ check, result }) => result !== 'ok' && check !== 'disk') };
}

const short = ({ check, database, result, evidence }: Finding): string => `${database} ${result} ${check}: ${evidence}`;

const EMPTY = {
  live: { database: 'x', serverMajor: 17, objects: [], installed: [], terms: new Map() },
  role: {},
  runner: {},
  missingRoles: [],
  tables: new Map(),
  missingOnSequences: [],
  occupied: [],
  badExpressions: [],
} as unknown as Inspection;
const HEALTHY: Health = { tables: [], publications: [], transactions: [], waits: [], slots: [], disk: null, clockMs: 0, clockErrorMs: 1 };
const GIB = 1024 ** 3;

describe('doctor', () => {
  test('finds what is in the way, each with its cure, and the cures work', async () => {
    const place = await smallShop(shopSync('public.customers', 'public.orders'));
    const { shop, copy, project } = place;
    await project.apply();
    const well = await doctor(place);
    expect(well.found).toEqual([]);
    expect(well.outcome.exit).toBe('ok');
    expect(well.findings.map(({ check }) => check)).toEqual(
      expect.arrayContaining(['connection', 'pooler', 'version', 'clock', 'SAR407', 'SAR413', 'orphans']),
    );
    await shop.script(`alter table customers set unlogged; alter table orders set (autovacuum_enabled = off); create table sarrio.notes (id int);
      create publication everything for all tables`);
    await copy.script('alter table orders replica identity nothing; create publication chosen for table orders');
    const { found, outcome } = await doctor(place);
    expect(outcome.exit).toBe('differs');
    expect(found.map(short)).toEqual([
      'copy problem replica-identity: table public.orders has no replica identity, but publication chosen publishes its updates or deletes: both fail',
      'shop problem unlogged: table public.customers is unlogged: a crash empties it, here and nowhere else',
      'shop warning bloat: autovacuum is off for public.orders',
      expect.stringContaining('shop warning publications: publication everything contains tables of schema sarrio'),
      'shop warning orphans: table sarrio.notes is not ours and would keep schema sarrio from being removed',
    ]);
    expect(outcome.text).toContain('2 problems, 3 warnings.');
    for (const { cure, database } of found)
      if (/^ALTER TABLE/.test(cure ?? '')) await place[database === 'shop' ? 'shop' : 'copy'].script((cure ?? '').replace(/; \(.*$/, ';'));
    await shop.script('drop publication everything; drop table sarrio.notes');
    expect((await doctor(place)).found.filter(({ check }) => !check.startsWith('SAR'))).toEqual([]);
  });

  test('names the right that is missing with its GRANT, and a database that does not answer beside those that do', async () => {
    const place = await smallShop(shopSync('public.orders'));
    const { shop, copy, project } = place;
    const role = `patient_${shop.name}`;
    await shop.script(`create role ${role} login`);
    try {
      const url = new URL(shop.url);
      url.username = role;
      const gone = new URL(copy.url);
      gone.port = '1';
      const { found } = await doctor(place, { ...project.env, SHOP_URL: url.href, COPY_URL: gone.href });
      expect(found.filter(({ database }) => database === 'copy').map(({ check, result }) => `${result} ${check}`)).toEqual(['problem connection']);
      const grants = found.filter(({ database }) => database === 'shop').map(({ cure }) => cure ?? '');
      expect(grants.join('\n')).toContain(`GRANT CREATE ON DATABASE ${shop.name} TO ${role};`);
      for (const line of grants.join('\n').split('\n')) if (/GRANT .*;$/.test(line)) await shop.script(line.replace(/^Run: /, ''));
      expect((await doctor(place, { ...project.env, SHOP_URL: url.href })).found).toEqual([]);
    } finally {
      await shop.script(`drop owned by ${role} cascade; drop role ${role}`);
    }
  });

  test('says who stands in the way of a session of ours, and how full a disk is that it can see', async () => {
    const place = await smallShop(shopSync('public.orders'));
    const { plan } = await place.project.generated();
    const holder = await place.shop.connect();
    const ours = await connect({ database: 'shop', url: place.shop.url, variable: 'SHOP_URL', role: 'listen' });
    const asker = await connect({ database: 'shop', url: place.shop.url, variable: 'SHOP_URL', role: 'inspect' });
    await holder.query("set application_name = 'long report'; begin; lock table orders");
    const waiting = ours.query('select count(*) from public.orders');
    await waitUntil('it waits', async () => (await readHealth(plan, asker, systemClock)).waits.length > 0);
    const health = await readHealth(plan, asker, systemClock);
    expect(health.waits).toMatchObject([{ who: expect.stringContaining('sarrio listen'), by: expect.stringContaining('long report') }]);
    expect(health.disk?.size).toBeGreaterThan(health.disk?.free ?? Number.NaN);
    await asker.query((health.waits[0]?.cure ?? '').replace(';', ''));
    await waiting;
    await holder.end().catch(() => undefined);
    for (const session of [ours, asker]) await session.close();

    const said = (found: Partial<Health>): readonly string[] =>
      examine({ plan: { ...plan, databases: {}, syncs: {} }, databases: new Map([['shop', { inspection: EMPTY, health: { ...HEALTHY, ...found } }]]) })
        .filter(({ result }) => result !== 'ok')
        .map(short);
    const wait = { who: 'backend 1', by: 'backend 2', cure: 'SELECT pg_terminate_backend(2);' };
    expect(said({ waits: [{ ...wait, seconds: 9 }], slots: [{ name: 'old', bytes: GIB }], disk: { free: 30 * GIB, size: 1000 * GIB } })).toEqual([]);
    expect(said({ waits: [{ ...wait, seconds: 10 }], slots: [{ name: 'old', bytes: 2 * GIB }], disk: { free: 3 * GIB, size: 100 * GIB } })).toEqual([
      expect.stringContaining('shop warning disk: the disk of the data directory has 3.0 GiB of 100.0 GiB left'),
      'shop warning disk: replication slot old is read by nobody and keeps 2.0 GiB of WAL (sarrio uses no slots)',
      'shop problem blocked: backend 1 has waited 10 s for a lock that backend 2 holds or waits for before it',
    ]);
  });

  test('puts what is known into a bundle: no connection string, no statement, no value', async () => {
    const place = await smallShop(shopSync('public.orders'));
    const url = new URL(place.shop.url);
    url.password = 'canary-in-a-mine';
    const env = { ...place.project.env, SHOP_URL: url.href };
    const bundle = async () => {
      const outcome = await runVerb(doctorVerb, ['--generated', place.project.dir, '--bundle', 'bundle.json'], { cwd: place.project.dir, env });
      expect(outcome.text).toContain('Wrote bundle.json');
      return readFile(join(place.project.dir, 'bundle.json'), 'utf8');
    };
    expect(JSON.parse(await bundle())).toMatchObject({ streams: expect.stringContaining('sarrio') });
    await place.project.apply();
    const other = await place.shop.connect();
    await other.query("begin; select 'canary of a statement'");
    const text = await bundle();
    await other.end();
    expect(JSON.parse(text)).toMatchObject({
      schema: 'sarrio/bundle/1.0',
      plan: { project: 'sarrio', syncs: { shop: { mode: 'one-way', source: 'shop', targets: ['copy'], tables: 1 } } },
      findings: expect.arrayContaining([expect.objectContaining({ check: 'SAR407', database: 'shop', result: 'ok' })]),
      streams: [{ sync: 'shop', state: 'not running' }],
      databases: {
        shop: {
          role: { mayCreateSchema: true },
          objects: { trigger: 5 },
          settings: { server_encoding: 'UTF8' },
          sessions: expect.arrayContaining([expect.objectContaining({ application: 'test', state: 'idle in transaction', blockedBy: [] })]),
        },
      },
    });
    expect(text).not.toMatch(/canary|postgres(ql)?:\/\//);
    const stream = {
      ...(JSON.parse(text) as { streams: readonly StreamStatus[] }).streams[0],
      lastError:
        'duplicate key value violates unique constraint "k": Key (email)=(canary@x) already exists.\nFailing row contains (1, canary).\ninvalid input syntax for type integer: "canary"',
      stopped: [{ table: 'public.orders', code: 'SAR622', reason: 'row canary', hint: 'canary', key: { id: 'canary' }, since: 'now' }],
    } as StreamStatus;
    const { plan } = await place.project.generated();
    const masked = bundleText({ plan, findings: [], databases: new Map(), surroundings: new Map(), streams: [stream] });
    expect(masked).not.toContain('canary');
    expect(JSON.parse(masked).streams[0]).toMatchObject({
      lastError: expect.stringContaining('constraint "k": Key (email)=(…) already exists'),
      stopped: [{ code: 'SAR622', keyColumns: ['id'] }],
    });
  });

  test('asks who else is there for a bundle alone', async () => {
    const place = await smallShop(shopSync('public.orders'));
    const query = vi.spyOn(Client.prototype, 'query');
    const asked = async (...args: readonly string[]): Promise<number> => {
      query.mockClear();
      await runVerb(doctorVerb, ['--generated', place.project.dir, ...args], { cwd: place.project.dir, env: place.project.env });
      return query.mock.calls.filter((call) => JSON.stringify(call).includes('blockedBy')).length;
    };
    try {
      expect([await asked(), await asked('--bundle', 'bundle.json')]).toEqual([0, 2]);
    } finally {
      query.mockRestore();
    }
  });

  test('clocks count only where time decides, and only beyond what the measurement leaves open', () => {
    const health = (clockMs: number, clockErrorMs = 1): Health => ({ ...HEALTHY, clockMs, clockErrorMs });
    const sync = { mode: 'multi-master', members: ['east', 'west'], tables: [], maxClockSkewMs: 500 };
    const plan = { project: 'p', databases: {}, syncs: { shop: sync } } as unknown as Plan;
    const inspection = EMPTY;
    const clocks = (east: Health, west: Health): readonly string[] => {
      const patient: Patient = {
        plan,
        databases: new Map([
          ['east', { inspection, health: east }],
          ['west', { inspection, health: west }],
        ]),
      };
      return examine(patient)
        .filter(({ check, result }) => check === 'clock' && result !== 'ok')
        .map(short);
    };
    expect(clocks(health(0), health(502))).toEqual([]);
    expect(clocks(health(0, 200), health(800, 200))).toEqual([]);
    expect(clocks(health(0), health(700))).toEqual([
      'east problem clock: its clock is 700 ms behind that of west, and sync shop decides conflicts by time only within 500 ms',
      'west problem clock: its clock is 700 ms ahead of that of east, and sync shop decides conflicts by time only within 500 ms',
    ]);
  });
});
