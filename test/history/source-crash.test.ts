import { expect, test } from 'vitest';
import { differingRows } from '../support/compare.ts';
import type { TestDatabase } from '../support/database.ts';
import { catchUp, follow } from '../support/follow.ts';
import { stage } from '../support/history.ts';
import { share } from '../support/share.ts';
import { pause, waitUntil } from '../support/wait.ts';

/** Each at another moment, a little later than the one before. */
const CRASHES = share([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], 3);

/** Commits do not wait for the disk, and the server writes its log out late: a crash loses much, and gives transaction ids out again. */
const FORGETFUL = { durable: true, flags: ['-c', 'synchronous_commit=off', '-c', 'wal_writer_delay=10000ms', '-c', 'wal_writer_flush_after=1GB'] };

type Written = { next: number; readonly committed: number[] };

/** Inserts, updates and rollbacks until the server is gone. Ids grow over all crashes, so that no row comes twice. */
async function write(source: TestDatabase, written: Written): Promise<void> {
  for (;;) {
    const id = (written.next += 1);
    const end = id % 3 === 0 ? 'rollback' : 'commit';
    try {
      await source.query(`begin; insert into t values (${id}, 'lasting'); update t set v = 'seen ${id}' where id = ${1 + (id % 100)}; ${end}`);
      if (end === 'commit') written.committed.push(id);
    } catch (error) {
      return void error;
    }
  }
}

async function idsOf(database: TestDatabase): Promise<ReadonlySet<number>> {
  return new Set((await database.query<{ id: number }>('select id::int as id from t')).map(({ id }) => id));
}

test('no crash of a source that commits asynchronously leaves a row too many or one too few', { timeout: 300_000 }, async () => {
  const { sourceServer, source, target, project } = await stage({ source: FORGETFUL });
  const written: Written = { next: 1_000, committed: [] };
  const lost = new Set<number>();
  for (const crash of CRASHES) {
    // Half of the time the runner lives through the crash and reconnects by itself.
    const survives = crash % 2 === 1;
    const running = follow(project);
    const writers = [write(source, written), write(source, written)];
    await waitUntil('rounds go by', () => running.events.filter(({ kind }) => kind === 'round').length >= 5);
    await pause(crash * 13);
    await sourceServer.stop('immediate');
    await Promise.all(writers);
    if (!survives) await running.stop();
    await sourceServer.start();
    const present = await idsOf(source);
    for (const id of written.committed) if (!present.has(id)) lost.add(id);
    if (!survives) expect([...(await idsOf(target))].filter((id) => !present.has(id))).toEqual([]);
    // With the transaction ids that the crash gave back.
    for (let turn = 0; turn < 20; turn += 1) await source.query('insert into t values ($1, $2)', [(written.next += 1), 'after the crash']);
    if (survives) {
      const last = written.next;
      await waitUntil('the runner has come back', async () => (await idsOf(target)).has(last), { timeoutMs: 60_000 });
      await running.stop();
    }
    await catchUp(project);
    expect(await differingRows(source, target, 'public.t')).toEqual([]);
  }
  expect(lost.size).toBeGreaterThan(0);
});
