import { describe, expect, test } from 'vitest';
import type { Guard } from '../../src/index.ts';
import { tablesEqual } from '../support/compare.ts';
import { GUARD_POINTS } from '../crash/points.ts';
import { catchUp, follow } from '../support/follow.ts';
import type { Installation } from '../support/installation.ts';
import { oneWayPair, type Pair } from '../support/one-way.ts';
import { waitUntil } from '../support/wait.ts';

const SCHEMA = 'create table t (id integer primary key, v text); create table other (id integer primary key);';

async function guarded(guard: Guard, rows = 1000): Promise<Pair> {
  const pair = await oneWayPair(SCHEMA, { guard });
  await pair.source.query("insert into t select g, 'x' from generate_series(1, $1) g", [rows]);
  await catchUp(pair.project);
  return pair;
}

type Waiting = { readonly id: string; readonly findings: readonly unknown[] };

async function waiting(project: Installation): Promise<readonly Waiting[]> {
  return ((await project.letGo()).data as { waiting: readonly Waiting[] }).waiting;
}

async function onlyId(project: Installation): Promise<string> {
  const [found, ...more] = await waiting(project);
  expect(more).toEqual([]);
  return found?.id ?? '';
}

const equal = ({ source, target }: Pair): Promise<boolean> => tablesEqual(source, target, 'public.t', 'public.other');

describe('deletes of a large share of a table', () => {
  test('wait with everything of their round; what was approved goes, and nothing that came later', async () => {
    const pair = await guarded({ deletes: 0.2 });
    const { source, target, project } = pair;
    await source.query('delete from t where id <= 200');
    await catchUp(project);
    expect(await equal(pair)).toBe(true);
    const position = () => target.query('select position from sarrio.watermark');
    const kept = () => source.query('select position from sarrio.acknowledged');
    const [applied, acknowledged] = [await position(), await kept()];
    await source.script('insert into other values (1); delete from t where id <= 361; insert into t values (5000)');
    await expect(catchUp(project)).rejects.toThrow(/SAR660/);
    expect(await target.query('select count(*)::int as n from t')).toEqual([{ n: 800 }]);
    expect(await target.query('select from other')).toEqual([]);
    expect([await position(), await kept()]).toEqual([applied, acknowledged]);
    const [held] = await waiting(project);
    expect(held?.findings).toEqual([{ kind: 'deletes', table: 'public.t', deletes: 161, rows: 800 }]);

    await source.query('delete from t where id between 501 and 700');
    await expect(catchUp(project)).rejects.toThrow(/161 deletes in public.t/);
    expect(await onlyId(project)).toBe(held?.id);
    expect(await project.letGo((held?.id ?? '').slice(0, 8), '--by', 'anna')).toMatchObject({ exit: 'ok', data: { by: 'anna' } });
    await expect(catchUp(project)).rejects.toThrow(/200 deletes in public.t/);
    expect(await target.query('select count(*)::int as n from t')).toEqual([{ n: 800 }]);
    expect((await project.letGo(await onlyId(project))).exit).toBe('ok');
    await catchUp(project);
    expect(await equal(pair)).toBe(true);
    expect(await target.query('select approved_by from sarrio.guard order by held_at')).toEqual([{ approved_by: 'anna' }, { approved_by: 'somebody' }]);
  });

  test('wait in a running runner, which says so, heeds a pause meanwhile, and goes on by itself', async () => {
    const pair = await guarded({ deletes: 0.5, minRows: 10 });
    const { source, project } = pair;
    const running = follow(project);
    await source.query('delete from t where id > 300');
    await waitUntil('it waits', () => running.events.some(({ kind }) => kind === 'guard-held'));
    const status = await project.status('--exit-code');
    expect(status.exit).toBe('differs');
    expect(status.text).toMatch(/waiting/);
    expect(status.diagnostics.map(({ code, message }) => `${code} ${message}`)).toEqual([
      expect.stringMatching(/^SAR660 .*700 deletes in public.t, which has 1,000 rows$/),
    ]);
    const states = () => running.events.flatMap((event) => (event.kind === 'stream' ? [event.state] : []));
    await project.pause('--sync', 's');
    await waitUntil('it rests', () => states().at(-1) === 'paused');
    await project.resume('--sync', 's');
    await waitUntil('it waits again', () => states().at(-1) === 'waiting');
    await source.query("update t set v = 'later' where id = 1");
    expect((await project.letGo(await onlyId(project))).exit).toBe('ok');
    await waitUntil('it went on', () => equal(pair));
    expect(running.events.flatMap((event) => (event.kind === 'guard-approved' ? [event.by] : []))).toEqual(['somebody']);
    await running.stop();
    expect((await project.letGo()).text).toBe('Nothing waits for approval.');
  });

  test('are rows of the target: what came and went in between is none, nor are fewer than minRows; what is written again waits no more', async () => {
    const pair = await guarded({ deletes: 0.1, minRows: 40 }, 100);
    const { source, project } = pair;
    await source.script('insert into t select g from generate_series(1001, 2000) g; delete from t where id > 1000; delete from t where id <= 39');
    await catchUp(project);
    expect(await equal(pair)).toBe(true);
    await source.query('delete from t where id <= 79');
    await expect(catchUp(project)).rejects.toThrow(/SAR660/);
    const id = await onlyId(project);
    await source.query('insert into t select g from generate_series(40, 60) g');
    const events = await catchUp(project);
    expect(events.flatMap((event) => (event.kind === 'guard-withdrawn' ? [event.id] : []))).toEqual([id]);
    expect(await equal(pair)).toBe(true);
    expect((await project.letGo(id)).diagnostics.map(({ code }) => code)).toEqual(['SAR661']);
  });

  test('of a table that sat the rounds out were not approved with those of others', async () => {
    const pair = await guarded({ deletes: 0.2 });
    const { source, target, project } = pair;
    await source.query('insert into other select generate_series(1, 1000)');
    await catchUp(project);
    await source.script('alter table other add column note text; delete from other; delete from t where id <= 600');
    await expect(catchUp(project)).rejects.toThrow(/approval: 600 deletes in public.t, which has 1,000 rows$/m);
    expect((await project.letGo(await onlyId(project))).exit).toBe('ok');
    await source.script('alter table other drop column note');
    await expect(catchUp(project)).rejects.toThrow(/approval: 1,000 deletes in public.other, which has 1,000 rows$/m);
    expect(await target.query('select (select count(*) from t)::int as t, (select count(*) from other)::int as other')).toEqual([{ t: 1000, other: 1000 }]);
    expect((await project.letGo(await onlyId(project))).exit).toBe('ok');
    await catchUp(project);
    expect(await equal(pair)).toBe(true);
  });

  test.each(GUARD_POINTS)('a runner that ends at %s has applied nothing; the next one waits for the same', async (point) => {
    const pair = await guarded({ deletes: 0.2 });
    const { source, target, project } = pair;
    await source.query('delete from t where id <= 600');
    const ended = { at: '' };
    const ending = async (name: string): Promise<void> => {
      if (name !== point) return;
      ended.at = name;
      throw new Error('the runner ends here');
    };
    await expect(catchUp(project, ending)).rejects.toThrow();
    expect(ended.at).toBe(point);
    await expect(catchUp(project)).rejects.toThrow(/600 deletes/);
    expect(await target.query('select count(*)::int as n from t')).toEqual([{ n: 1000 }]);
    expect((await project.letGo(await onlyId(project))).exit).toBe('ok');
    await catchUp(project);
    expect(await equal(pair)).toBe(true);
  });
});

describe('a TRUNCATE', () => {
  test('waits, but for an empty table; a later one waits by itself', async () => {
    const pair = await guarded({ truncate: true });
    const { source, target, project } = pair;
    await source.script('truncate other; delete from t where id < 1000');
    await catchUp(project);
    await source.script('truncate t; insert into t values (1)');
    await expect(catchUp(project)).rejects.toThrow(/a TRUNCATE of public.t/);
    const first = await onlyId(project);
    await source.query('truncate t');
    expect((await project.letGo(first)).exit).toBe('ok');
    await expect(catchUp(project)).rejects.toThrow(/a TRUNCATE of public.t/);
    expect(await target.query('select id from t')).toEqual([{ id: 1000 }]);
    expect((await project.letGo(await onlyId(project))).exit).toBe('ok');
    await catchUp(project);
    expect(await equal(pair)).toBe(true);
  });

  test('goes through where only deletes are guarded; without a guard there is nothing to approve', async () => {
    const pair = await guarded({ deletes: 0.2, truncate: false });
    await pair.source.query('truncate t');
    await catchUp(pair.project);
    expect(await equal(pair)).toBe(true);
    const { project } = await oneWayPair(SCHEMA);
    expect((await project.letGo('abcd')).diagnostics.map(({ code }) => code)).toEqual(['SAR661']);
  });
});
