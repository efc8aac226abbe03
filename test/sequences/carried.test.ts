import { describe, expect, test } from 'vitest';
import type { OneWaySync } from '../../src/index.ts';
import type { RunnerEvent } from '../../src/runner/events.ts';
import { buildOnce } from '../support/build.ts';
import { sarrio, startSarrio } from '../support/cli.ts';
import type { TestDatabase } from '../support/database.ts';
import { freshDatabase } from '../support/databases.ts';
import { catchUp, follow } from '../support/follow.ts';
import { type Installation, installation } from '../support/installation.ts';
import { guarded, runHints } from '../support/roles.ts';
import { pause, waitUntil } from '../support/wait.ts';

const SCHEMA = `
  create table orders (id bigserial primary key, what text);
  create table lines (id smallint generated always as identity primary key, what text);
`;

/** Notes every replicated row whose number the target's own sequence has not passed. */
const BEYOND = `
  create table beyond (id bigint);
  create function note_beyond() returns trigger language plpgsql as
    'begin if (select new.id > last_value from public.orders_id_seq) then insert into public.beyond values (new.id); end if; return null; end';
  create trigger note_beyond after insert on orders for each row execute function note_beyond();
  alter table orders enable always trigger note_beyond;
`;

type Pair = { readonly source: TestDatabase; readonly target: TestDatabase; readonly project: Installation };

async function pairOf(schema: string, sequences: OneWaySync['sequences'] = 'carry', targetSchema = schema): Promise<Pair> {
  const [source, target] = [await freshDatabase('source'), await freshDatabase('target')];
  await source.script(schema);
  await target.script(targetSchema);
  const sync: OneWaySync = { mode: 'one-way', source: 'source', targets: ['target'], tables: ['public.*'], ...(sequences ? { sequences } : {}) };
  const project = await installation({ databases: { source, target }, syncs: { s: sync } });
  expect((await project.apply()).diagnostics).toEqual([]);
  return { source, target, project };
}

async function lastOf(database: TestDatabase, sequence: string): Promise<number> {
  const rows = await database.query<{ last: number }>(`select case when is_called then last_value else last_value - 1 end::int as last from ${sequence}`);
  return rows[0]?.last ?? Number.NaN;
}

type Status = {
  readonly streams: unknown;
  readonly sequences: {
    readonly watched: readonly { readonly sequence: string; readonly percent: number | null; readonly alarmedAt: string | null }[];
    readonly carried: readonly { readonly to: string; readonly value: string | null; readonly sourceValue: string | null; readonly error: string | null }[];
  };
};

async function sequencesOf(project: Installation): Promise<Status['sequences']> {
  return ((await project.status()).data as Status).sequences;
}

describe('a target is ready to give numbers that the source has not given', () => {
  test('whatever draws them there, with or without rows', async () => {
    const { source, target, project } = await pairOf(SCHEMA);
    await source.script("insert into orders (what) select 'x' from generate_series(1, 40); select nextval('orders_id_seq')");
    await catchUp(project);
    expect([await lastOf(target, 'orders_id_seq'), await lastOf(target, 'lines_id_seq')]).toEqual([1_041, 327]);
    // Drawn and rolled back: no row tells of it.
    await source.script("begin; select nextval('orders_id_seq') from generate_series(1, 600); rollback");
    await catchUp(project);
    expect(await lastOf(target, 'orders_id_seq')).toBe(1_641);
    // Set back at the source, by mistake or for good: the target stays.
    await source.script("select setval('orders_id_seq', 3)");
    await catchUp(project);
    expect(await lastOf(target, 'orders_id_seq')).toBe(1_641);
    expect((await sequencesOf(project)).carried).toMatchObject([
      { to: 'public.lines_id_seq', sourceValue: '0', value: '327', error: null },
      { to: 'public.orders_id_seq', sourceValue: '3', value: '1641', error: null },
    ]);
    expect((await project.status()).text).toContain('sequences of s -> target: 2 carried (last ');
  });

  test('and is written only when half of the margin is gone', async () => {
    const { source, target, project } = await pairOf(SCHEMA, { carry: { margin: 100 } });
    await catchUp(project);
    expect(await lastOf(target, 'orders_id_seq')).toBe(100);
    await source.script("select nextval('orders_id_seq') from generate_series(1, 50)");
    await catchUp(project);
    expect(await lastOf(target, 'orders_id_seq')).toBe(100);
    await source.script("select nextval('orders_id_seq')");
    await catchUp(project);
    expect(await lastOf(target, 'orders_id_seq')).toBe(151);
  });

  test('under load, with every round, while runners are killed', { timeout: 180_000 }, async () => {
    await buildOnce();
    const { source, target, project } = await pairOf(SCHEMA, { carry: { margin: 200 } }, SCHEMA + BEYOND);
    await catchUp(project);
    const state = { on: true };
    const writing = (async () => {
      while (state.on) {
        await source.query("insert into orders (what) select 'w' from generate_series(1, 20)");
        await pause(15);
      }
    })();
    for (let turn = 0; turn < 4; turn += 1) {
      const before = await lastOf(target, 'orders_id_seq');
      const runner = startSarrio(['run', '--generated', project.dir], { env: { ...project.env } });
      await waitUntil('the sequence is carried', async () => (await lastOf(target, 'orders_id_seq')) > before, { timeoutMs: 60_000 });
      // Whatever the target would give next, neither a row there nor the source has it. The target is asked first.
      const next = (await lastOf(target, 'orders_id_seq')) + 1;
      const [given] = await target.query<{ max: string | null }>('select max(id)::int as max from orders');
      expect(next).toBeGreaterThan(Number(given?.max ?? 0));
      await runner.kill();
    }
    state.on = false;
    await writing;
    await catchUp(project);
    expect(await lastOf(target, 'orders_id_seq')).toBeGreaterThanOrEqual((await lastOf(source, 'orders_id_seq')) + 100);
    expect(await target.query('select min(id)::int, count(*)::int from beyond')).toEqual([{ min: null, count: 0 }]);
    await target.script("insert into orders (what) values ('own')");
  });
});

describe('what cannot be carried is said, and stops nothing else', () => {
  test('a sequence that cycles, one that ends too early, one that is gone', async () => {
    const { source, target, project } = await pairOf(`${SCHEMA} create table visits (id bigserial primary key); create table far (id bigserial primary key);`);
    await source.script('alter sequence orders_id_seq cycle; insert into visits default values');
    await target.script('alter sequence visits_id_seq maxvalue 500; drop sequence far_id_seq cascade');
    const events = await catchUp(project);
    expect(events.flatMap((event) => (event.kind === 'carry-failed' ? [event.sequence] : [])).sort()).toEqual([
      'public.far_id_seq',
      'public.orders_id_seq',
      'public.visits_id_seq',
    ]);
    expect(await target.query('select id::int from visits')).toEqual([{ id: 1 }]);
    expect(await lastOf(target, 'lines_id_seq')).toBe(327);
    const status = await project.status('--exit-code');
    expect(status.exit).toBe('differs');
    expect(status.diagnostics.filter(({ code }) => code === 'SAR641').map(({ message }) => message)).toEqual([
      expect.stringMatching(/it cannot be read: .*far_id_seq.* does not exist/),
      expect.stringContaining('begins again at its end (CYCLE)'),
      expect.stringContaining('it ends at 500, before 1001'),
    ]);
    // Put right, it is carried again and nothing is said any more.
    await source.script('alter sequence orders_id_seq no cycle');
    await target.script(
      "alter sequence visits_id_seq maxvalue 100000; create sequence far_id_seq owned by far.id; alter table far alter id set default nextval('far_id_seq')",
    );
    await catchUp(project);
    expect((await project.status('--exit-code')).diagnostics).toEqual([]);
  });

  test('a runner without rights on the sequences is told what to grant', async () => {
    const syncs: Readonly<Record<string, OneWaySync>> = {
      s: { mode: 'one-way', source: 'source', targets: ['target'], tables: ['public.*'], sequences: 'carry' },
    };
    const { source, target, roles, project, as } = await guarded(SCHEMA, { syncs });
    const planned = (await project.plan()).diagnostics;
    expect(planned.map(({ code, where }) => `${code} ${where}`)).toEqual([
      'SAR433 database source',
      'SAR433 database source',
      'SAR433 database target',
      'SAR433 database target',
    ]);
    expect(planned.map(({ message }) => message)).toContain(`role ${roles.runner} lacks SELECT, UPDATE on sequence public.orders_id_seq`);
    await runHints(
      source,
      planned.filter(({ where }) => where === 'database source'),
    );
    await runHints(
      target,
      planned.filter(({ where }) => where === 'database target'),
    );
    expect((await project.apply()).diagnostics).toEqual([]);
    await source.script("insert into orders (what) values ('x')");
    await catchUp(as(roles.runner));
    expect(await lastOf(target, 'orders_id_seq')).toBe(1_001);
    // The reader sees what the runner wrote down, without a right on the sequences.
    await buildOnce();
    const status = await sarrio(['status', '--json', '--generated', project.dir], { env: { ...as(roles.reader).env } });
    const { data, diagnostics } = JSON.parse(status.stdout) as { data: Status; diagnostics: unknown };
    expect(diagnostics).toEqual([]);
    expect(data.sequences.carried).toMatchObject([{ value: '327' }, { value: '1001', sourceValue: '1' }]);
  });
});

const alarms = (events: readonly RunnerEvent[]): readonly string[] =>
  events.flatMap((event) => (event.kind === 'sequence-alarm' ? [`${event.database} ${event.sequence} ${event.percent}`] : []));

describe('an alarm before the values run out', () => {
  test('by the type of the column, though the sequence itself goes on for ever', async () => {
    const { source, project } = await pairOf(
      "create sequence long as bigint; create table narrow (id integer primary key default nextval('long')); create table lines (id smallserial primary key);",
    );
    await source.script(`select setval('long', ${Math.floor(2_147_483_647 * 0.91)}), setval('lines_id_seq', 100)`);
    const running = follow(project);
    await waitUntil('the alarm', () => alarms(running.events).length > 0);
    await running.stop();
    expect(alarms(running.events)).toEqual(['source public.long 90']);
    const status = await project.status('--exit-code');
    expect(status.exit).toBe('differs');
    expect(status.diagnostics).toMatchObject([{ code: 'SAR640', severity: 'warning', where: 'database source, sequence public.long' }]);
    expect((await sequencesOf(project)).watched).toMatchObject([
      { sequence: 'public.lines_id_seq', percent: 0, alarmedAt: null },
      { sequence: 'public.long', percent: 90, alarmedAt: expect.any(String) },
    ]);
    await source.script("select setval('long', 5)");
    const again = follow(project);
    await waitUntil('no alarm', async () => (await project.status('--exit-code')).diagnostics.length === 0);
    await again.stop();
    expect(alarms(again.events)).toEqual([]);
  });

  test('of a sequence that counts in steps', async () => {
    const [east, west] = [await freshDatabase('east'), await freshDatabase('west')];
    for (const database of [east, west]) await database.script('create table t (id serial primary key)');
    const project = await installation({
      databases: { east, west },
      syncs: { m: { mode: 'multi-master', members: ['east', 'west'], tables: ['public.t'], onConflict: 'stop', sequences: 'interleave' } },
    });
    expect((await project.apply()).diagnostics).toEqual([]);
    await west.script(`select setval('t_id_seq', ${8 * 250_000_000 + 2})`);
    const running = follow(project);
    await waitUntil('the alarm', () => alarms(running.events).length > 0);
    await running.stop();
    expect(alarms(running.events)).toEqual(['west public.t_id_seq 93']);
    expect((await project.status()).diagnostics).toMatchObject([{ code: 'SAR640', where: 'database west, sequence public.t_id_seq' }]);
  });
});
