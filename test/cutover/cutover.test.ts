import { describe, expect, test } from 'vitest';
import { buildOnce } from '../support/build.ts';
import { sarrio } from '../support/cli.ts';
import { differingRows } from '../support/compare.ts';
import { cutting, doors, refusal, startApplication } from '../support/cutting.ts';
import { freshDatabase } from '../support/databases.ts';
import { catchUp, follow } from '../support/follow.ts';
import { installation } from '../support/installation.ts';
import { guarded } from '../support/roles.ts';
import { waitUntil } from '../support/wait.ts';

const TABLES = ['public.orders', 'public.parts'];
const codes = ({ diagnostics }: { readonly diagnostics: readonly { readonly code: string }[] }): readonly string[] => diagnostics.map(({ code }) => code);

describe('a target takes over', () => {
  test('under load: what the source has said to be committed is there, and nothing is written to the source afterwards', { timeout: 120_000 }, async () => {
    const { source, target, project } = await cutting();
    const running = follow(project);
    const application = await startApplication(source);
    await waitUntil('the application is at work', () => application.acknowledged.length > 100);
    const outcome = await project.cutover('s');
    expect(outcome.diagnostics).toEqual([]);
    expect(outcome.exit).toBe('ok');
    await waitUntil('every session was refused', () => application.refused() > 8);
    const written = application.acknowledged.length;
    await application.stop();
    expect(application.acknowledged.length).toBe(written);
    await running.stop();
    const there = new Set((await target.query<{ id: string }>('select id from orders')).map(({ id }) => Number(id)));
    expect(application.acknowledged.filter((id) => !there.has(id))).toEqual([]);
    expect(await differingRows(source, target, ...TABLES)).toEqual([]);
    // The target goes on with numbers that nobody has got.
    const [row] = await target.query<{ id: string }>("insert into orders (who) values ('after') returning id");
    const [drawn] = await source.query<{ last: string }>('select last_value as last from orders_id_seq');
    expect(Number(row?.id)).toBeGreaterThan(Number(drawn?.last));
    const again = await project.cutover('s');
    expect(again.data).toMatchObject({ state: 'opened', changed: false });
    expect(again.text).toContain('existingRows');
    const status = await project.status();
    expect(status.text).toContain('s: target has taken over');
    expect(status.data).toMatchObject({ streams: [{ state: 'paused', pending: 0 }], cutovers: [{ step: 'opened', target: 'target' }] });
  });

  test('without a runner, by rounds of its own; every way of writing is refused at the source, and at the target until it is open', async () => {
    const { source, target, project } = await cutting();
    await source.script("insert into orders (who) values ('late')");
    const outcome = await project.cutover('s');
    expect(outcome.exit).toBe('ok');
    expect(outcome.stderr).toContain('[source-closed] source: 2 tables refuse every write. Back: sarrio cutover s --abort');
    expect(await target.query("select who from orders where who = 'late'")).toEqual([{ who: 'late' }]);
    const writes = [
      'insert into orders default values',
      'update orders set n = 1 where id = 1',
      'delete from orders where false',
      'truncate orders',
      'insert into parts values (1000, 1)',
      'insert into parts_2 values (1000, 2)',
      'truncate parts_1',
      'insert into orders select 9000 on conflict do nothing',
    ];
    for (const write of writes) expect([write, await refusal(source, write)]).toEqual([write, '25006']);
    for (const write of writes) expect([write, await refusal(target, write)]).toEqual([write, null]);
  });

  test('waits for transactions that have written, and takes what they commit', async () => {
    const { source, target, project } = await cutting();
    const slow = await source.connect();
    await slow.query("begin; insert into orders (who) values ('slow')");
    const switching = project.cutover('s');
    await waitUntil('the cut-over waits', async () => {
      const [row] = await source.query<{ n: number }>("select count(*)::int as n from pg_locks where mode = 'ShareRowExclusiveLock' and not granted");
      return row?.n !== 0;
    });
    await slow.query("insert into parts values (777, 1, 'slow'); commit");
    await slow.end();
    expect((await switching).exit).toBe('ok');
    expect(await target.query('select v from parts where k = 777')).toEqual([{ v: 'slow' }]);
  });

  test('a table with children, written through its parent', async () => {
    const more = 'create table above (id integer primary key, v text); create table below (primary key (id)) inherits (above);';
    const { source, project } = await cutting({ tables: ['public.below'] }, more);
    expect((await project.cutover('s')).exit).toBe('ok');
    expect(await refusal(source, 'insert into below values (1)')).toBe('25006');
    await source.script("alter table below disable trigger closed_by_sarrio_rows; set session_replication_role = replica; insert into below values (1, 'x')");
    await source.script('alter table below enable trigger closed_by_sarrio_rows');
    expect(await refusal(source, "update above set v = 'y'")).toBe('25006');
  });
});

describe('a target that is not fit does not take over, and the source is as before', () => {
  test('one that is not equal', async () => {
    const { source, target, project } = await cutting();
    const before = [await doors(source), await doors(target)];
    await target.script("insert into orders values (5000, 'own', 1); update parts set v = 'other' where k = 3");
    const outcome = await project.cutover('s');
    expect(outcome.exit).toBe('refused');
    expect(codes(outcome)).toEqual(['SAR807', 'SAR813']);
    expect(outcome.diagnostics[0]?.message).toMatch(/public\.orders differs in 1 rows \(0 missing, 1 extra.*id=5000.*public\.parts differs in 1 rows/);
    expect(outcome.diagnostics[1]?.message).toContain('was undone: source takes writes as before');
    expect([await doors(source), await doors(target)]).toEqual(before);
    expect(await refusal(source, 'insert into orders default values')).toBeNull();
    expect((await project.verify('--repair', '--yes')).exit).toBe('ok');
    expect((await project.cutover('s')).exit).toBe('ok');
  });

  test('one that does not come after within the time', async () => {
    const { source, target, project } = await cutting();
    const before = [await doors(source), await doors(target)];
    await source.script('update orders set n = 5 where id = 7');
    // Whoever holds the fence keeps every round from beginning.
    const holding = await target.connect();
    await holding.query('begin; select from sarrio.watermark for update');
    const outcome = await project.cutover('s', '--wait', '3s');
    expect(outcome.exit).toBe('failed');
    expect(codes(outcome)).toEqual(['SAR806', 'SAR813']);
    expect([await doors(source), await doors(target)]).toEqual(before);
    await holding.query('rollback');
    await holding.end();
    expect((await project.cutover('s')).exit).toBe('ok');
  });

  test('one that somebody reads for longer than the time: the source is open again, and the rest is left to an abort', async () => {
    const { source, target, project } = await cutting();
    const before = [await doors(source), await doors(target)];
    const reading = await target.connect();
    await reading.query('begin; select from orders');
    const outcome = await project.cutover('s', '--wait', '2s');
    expect(outcome.exit).toBe('partial');
    expect(outcome.diagnostics).toMatchObject([
      { code: 'SAR805' },
      { code: 'SAR813', message: expect.stringContaining('source takes writes as before, but target could not be opened yet') },
    ]);
    expect(await doors(source)).toEqual(before[0]);
    expect(await refusal(target, 'insert into orders default values')).toBe('25006');
    await reading.query('rollback');
    await reading.end();
    expect((await project.cutover('s', '--abort')).exit).toBe('ok');
    expect([await doors(source), await doors(target)]).toEqual(before);
  });

  test('one whose sequence cannot follow', async () => {
    const { source, target, project } = await cutting();
    const before = [await doors(source), await doors(target)];
    await target.script("alter sequence orders_id_seq maxvalue 2000; insert into orders values (3000, 'x'); delete from orders where id = 3000");
    await source.script("select setval('orders_id_seq', 2500)");
    const outcome = await project.cutover('s');
    expect(codes(outcome)).toEqual(['SAR808', 'SAR813']);
    expect([await doors(source), await doors(target)]).toEqual(before);
  });

  test('asked before anything is closed', async () => {
    const { source, target, project } = await cutting();
    const before = [await doors(source), await doors(target)];
    await project.pause('--sync', 's');
    expect(codes(await project.cutover('s'))).toEqual(['SAR804']);
    await source.script('delete from sarrio.paused; alter table orders disable trigger sarrio_insert; alter table orders enable trigger sarrio_insert');
    expect((await project.cutover('s')).diagnostics[0]?.message).toContain('changes of public.orders may have gone by uncaptured');
    await project.apply();
    await catchUp(project);
    expect(codes(await project.cutover('s', '--target', 'elsewhere'))).toEqual(['SAR800']);
    expect(codes(await project.cutover('s', '--abort'))).toEqual(['SAR814']);
    const one = { mode: 'one-way', source: 'source', targets: ['target'], tables: TABLES } as const;
    await project.compile({ s: one });
    await project.apply();
    expect(codes(await project.cutover('s'))).toEqual(['SAR801']);
    expect([await doors(source), await doors(target)]).toEqual(before);
    await project.compile({ s: { ...one, sequences: 'ignore', tables: [{ table: 'public.orders', where: 'n > 0' }] } });
    await project.approve();
    expect(codes(await project.cutover('s'))).toEqual(['SAR816']);
    expect(await refusal(source, 'insert into orders default values')).toBeNull();
  });

  test('a source that others replicate into, and a sync that is none', async () => {
    const [up, source, target] = [await freshDatabase('up'), await freshDatabase('source'), await freshDatabase('target')];
    for (const database of [up, source, target]) await database.script('create table t (id integer primary key)');
    const flow = { mode: 'one-way', tables: ['public.t'], sequences: 'ignore' } as const;
    const project = await installation({
      databases: { up, source, target },
      syncs: { first: { ...flow, source: 'up', targets: ['source'] }, s: { ...flow, source: 'source', targets: ['target'] } },
    });
    await project.apply();
    await catchUp(project);
    expect((await project.cutover('s')).diagnostics).toMatchObject([{ code: 'SAR802', message: expect.stringContaining('sync first writes tables of it') }]);
    expect(codes(await project.cutover('none'))).toEqual(['SAR609']);
    // The other way round the chain stays: what is written to the middle goes on to its target.
    expect((await project.cutover('first')).exit).toBe('ok');
    await source.script('insert into t values (1)');
    expect(await refusal(up, 'insert into t values (2)')).toBe('25006');
  });

  test('a role that does not own the tables is told whom to ask', async () => {
    await buildOnce();
    const syncs = { s: { mode: 'one-way', source: 'source', targets: ['target'], tables: ['public.t'], sequences: 'ignore' } } as const;
    const { source, target, roles, project, as } = await guarded('create table t (id integer primary key)', { syncs });
    await project.apply();
    await catchUp(as(roles.runner));
    expect(new Set(codes(await project.cutover('s')))).toEqual(new Set(['SAR408']));
    const asRunner = await sarrio(['cutover', 's', '--generated', project.dir], { env: { ...as(roles.runner).env } });
    expect([asRunner.exitCode, asRunner.stderr]).toEqual([3, expect.stringContaining('SAR803: database source: this role does not own schema sarrio')]);
    for (const database of [source, target]) await database.script(`grant ${roles.runner} to ${roles.owner}`);
    const stranger = await project.cutover('s');
    expect(codes(stranger)).toEqual(['SAR803']);
    expect(stranger.diagnostics[0]?.message).toContain('does not own public.t');
    for (const database of [source, target]) await database.script(`alter table t owner to ${roles.owner}`);
    expect((await project.cutover('s')).exit).toBe('ok');
    expect(await refusal(source, 'insert into t values (1)')).toBe('25006');
  });
});
