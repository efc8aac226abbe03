import { mustBeEqual } from '../harness/check.ts';
import { sentinel, settle, timed, withFollower } from '../harness/following.ts';
import type { Databases, Follower } from '../harness/peer.ts';
import { fillNarrow, TABLES, TOUCH_NARROW, VACUUM } from '../harness/tables.sql.ts';
import { MEMORY, memoryOf, type Workload } from '../harness/workload.ts';
import { sarrio } from '../peers/sarrio.ts';

const ROWS = 1_000_000;
const PASSES = 10;
const FEW = 100_000;

/** A target that was away: what it costs to catch up must follow from the rows, not from the age of the backlog. */
export const backlog: Workload = {
  name: 'backlog',
  title: 'backlog: 1M rows changed ten times each, beside 100k rows changed once',
  peers: [sarrio],
  lines: [
    { measure: 'few', title: 'rows/s after 100k changes' },
    { measure: 'many', title: 'rows/s after 10M changes' },
    { measure: 'ratio', title: 'the latter by the former', goal: { atLeast: 0.9 } },
    MEMORY,
  ],
  prepare: async (database, { scale }) => {
    await database.script(TABLES);
    await database.query(fillNarrow(Math.round(ROWS * scale)));
    await database.query(VACUUM);
  },
  measure: (peer, databases, scale) =>
    withFollower(peer, databases, async (follower) => {
      const rows = Math.round(ROWS * scale);
      const few = await rate(databases, follower, { rows: Math.round(FEW * scale), passes: 1, id: 1 });
      const many = await rate(databases, follower, { rows, passes: PASSES, id: 2 });
      const peak = await follower.peakMb();
      await mustBeEqual(databases, 'public.narrow');
      return { few, many, ratio: many / few, ...memoryOf(peak) };
    }),
};

async function rate(databases: Databases, follower: Follower, backlogOf: { rows: number; passes: number; id: number }): Promise<number> {
  const { rows, passes, id } = backlogOf;
  await follower.pause();
  for (let pass = 0; pass < passes; pass += 1) await databases.source.query(TOUCH_NARROW, [rows]);
  await databases.source.query(VACUUM);
  await settle(databases);
  await follower.resume();
  await follower.isRunning();
  return rows / (await timed(() => sentinel(databases, id)));
}
