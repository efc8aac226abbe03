import { describe, expect, onTestFinished, test } from 'vitest';
import type { RunnerEvent } from '../../src/runner/events.ts';
import { differingRows } from '../support/compare.ts';
import { copied, finished } from '../support/copying.ts';
import { freshDatabase } from '../support/databases.ts';
import { catchUp, follow } from '../support/follow.ts';
import { oneWayPair } from '../support/one-way.ts';
import { rangesOf } from '../support/ranges.ts';
import { type SmallDisk, smallDisk } from '../support/small-disk.ts';

const TABLE = 'create table t (id integer primary key, v text)';
const rows = (from: number, to: number): string => `insert into t select g, repeat('x', 200) || g from generate_series(${from}, ${to}) g`;
const GROW = '256m';

/** Its tablespace, which is emptied and dropped in the end. */
async function tablespaceOn(disk: SmallDisk): Promise<string> {
  const name = `small_${disk.folder.slice(-6).toLowerCase()}`;
  const database = await freshDatabase('spaces');
  await database.query(`create tablespace ${name} location '${disk.folder}'`);
  onTestFinished(() => database.query(`drop tablespace ${name}`).then(() => undefined));
  return name;
}

function full(events: readonly RunnerEvent[]): readonly string[] {
  return events.flatMap((event) => (event.kind === 'retry' && event.error.includes('No space left on device') ? [event.error] : []));
}

describe("the target's disk is full in the middle", () => {
  test.for(['delete', 'truncate', 'swap'] as const)(
    'of a full copy by %s: the old rows stay, and the copy comes when there is room',
    async (method, { skip }) => {
      const disk = await smallDisk('16m');
      if (disk === null) return skip('nothing can be mounted');
      const space = await tablespaceOn(disk);
      const { source, target, project } = await copied(`${TABLE};`, { method, targetSchema: `${TABLE} tablespace ${space};` });
      onTestFinished(() => target.query('drop table t').then(() => undefined));
      await source.query(rows(1, 2000));
      await catchUp(project);
      await source.query(rows(2001, 80_000));
      expect((await project.kick('--sync', 's')).exit).toBe('ok');
      const following = follow(project);
      await expect.poll(() => full(following.events).length, { timeout: 60_000 }).toBeGreaterThan(1);
      expect(await target.query('select count(*)::int as n, max(id) from t')).toEqual([{ n: 2000, max: 2000 }]);
      await disk.grow(GROW);
      await expect.poll(() => finished(following.events), { timeout: 60_000 }).toEqual([80_000]);
      await following.stop();
      expect(await differingRows(source, target, 'public.t')).toEqual([]);
    },
  );

  test('of an initial copy in ranges: those that are there stay, and each of the others comes once when there is room', async ({ skip }) => {
    const disk = await smallDisk('16m');
    if (disk === null) return skip('nothing can be mounted');
    const space = await tablespaceOn(disk);
    const { source, target, project } = await oneWayPair(`${TABLE};`, { copy: { chunk: '1 MB', jobs: 2 }, targetSchema: `${TABLE} tablespace ${space};` });
    onTestFinished(() => target.query('drop table t').then(() => undefined));
    await source.query(rows(1, 80_000));
    const following = follow(project);
    await expect.poll(() => full(following.events).length, { timeout: 60_000 }).toBeGreaterThan(1);
    expect(await target.query('select count(*) > 0 as some from sarrio.copy_range where copied_at is not null')).toEqual([{ some: true }]);
    await disk.grow(GROW);
    await expect.poll(() => following.events.some(({ kind }) => kind === 'copy-finished'), { timeout: 60_000 }).toBe(true);
    await following.stop();
    const ranges = rangesOf(following.events);
    expect(ranges).toHaveLength(ranges[0]?.total ?? 0);
    expect(await differingRows(source, target, 'public.t')).toEqual([]);
  });
});
