import { describe, expect, test } from 'vitest';
import { verb as doctorVerb } from '../../src/commands/doctor.ts';
import type { Inspection } from '../../src/runner/5-inspect/inspection.ts';
import { examine } from '../../src/runner/6-diff/doctor/examine.ts';
import type { Finding, Patient } from '../../src/runner/6-diff/doctor/finding.ts';
import type { Health } from '../../src/runner/6-diff/doctor/read-health.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { runVerb } from '../support/run-verb.ts';
import { type Shop, shopSync, smallShop } from '../support/shop.ts';

async function doctor({ project }: Shop, env = project.env) {
  const outcome = await runVerb(doctorVerb, ['--generated', project.dir], { cwd: project.dir, env });
  const { findings } = outcome.data as { findings: readonly Finding[] };
  return { outcome, findings, found: findings.filter(({ result }) => result !== 'ok') };
}

const short = ({ check, database, result, evidence }: Finding): string => `${database} ${result} ${check}: ${evidence}`;

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
    await copy.script('alter table orders replica identity nothing; create publication some for table orders');
    const { found, outcome } = await doctor(place);
    expect(outcome.exit).toBe('differs');
    expect(found.map(short)).toEqual([
      'copy problem replica-identity: table public.orders has no replica identity, but publication some publishes its updates or deletes: both fail',
      'shop problem unlogged: table public.customers is unlogged: a crash empties it, here and nowhere else',
      'shop warning bloat: autovacuum is off for public.orders',
      expect.stringContaining('shop warning publications: publication everything contains tables of schema sarrio'),
      'shop warning orphans: table sarrio.notes is not ours and would keep schema sarrio from being removed',
    ]);
    expect(outcome.text).toContain('2 problems, 3 warnings.');
    for (const { cure, database } of found)
      if (/^ALTER TABLE/.test(cure ?? '')) await place[database === 'shop' ? 'shop' : 'copy'].script((cure ?? '').replace(/ \(.*$/, ''));
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

  test('clocks count only where time decides, and only beyond what the measurement leaves open', () => {
    const health = (clockMs: number, clockErrorMs = 1): Health => ({ tables: [], publications: [], transactions: [], clockMs, clockErrorMs });
    const sync = { mode: 'multi-master', members: ['east', 'west'], tables: [], maxClockSkewMs: 500 };
    const plan = { project: 'p', databases: {}, syncs: { shop: sync } } as unknown as Plan;
    const live = { database: 'x', serverMajor: 17, objects: [], installed: [], terms: new Map() };
    const inspection = {
      live,
      role: {},
      runner: {},
      missingRoles: [],
      tables: new Map(),
      missingOnSequences: [],
      occupied: [],
      badExpressions: [],
    } as unknown as Inspection;
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
