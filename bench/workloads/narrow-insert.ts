import { mustBeEqual } from '../harness/check.ts';
import { timed, waitFor, withFollower } from '../harness/following.ts';
import { FREEZE_STAGE, INSERT_NARROW, NARROW_ROW, stageNarrow, TABLES } from '../harness/tables.sql.ts';
import { MEMORY, memoryOf, type Workload } from '../harness/workload.ts';
import { bucardo } from '../peers/bucardo.ts';
import { native } from '../peers/native.ts';
import { none } from '../peers/none.ts';
import { sarrio } from '../peers/sarrio.ts';

const ROWS = 1_000_000;

/** A million narrow rows in one statement: the price of capture, and how long the target stays behind. */
export const narrowInsert: Workload = {
  name: 'narrow-insert',
  title: 'narrow-insert: 1M rows (bigint, int) in one INSERT',
  peers: [none, native, sarrio, bucardo],
  lines: [
    { measure: 'statement', title: 'source statement, s', goal: { to: 'none', atMost: 1.8 } },
    { measure: 'toEqual', title: 'commit to equal, s', goal: { to: 'native', atMost: 0.6 } },
    MEMORY,
  ],
  prepare: async (database, { isSource, scale }) => {
    await database.script(TABLES);
    if (!isSource) return;
    await database.script(stageNarrow(Math.round(ROWS * scale)));
    await database.query(FREEZE_STAGE);
  },
  measure: (peer, databases, scale) =>
    withFollower(peer, databases, async (follower) => {
      const statement = await timed(() => databases.source.query(INSERT_NARROW));
      if (peer.name === 'none') return { statement };
      const toEqual = await timed(() => waitFor(databases, NARROW_ROW, [Math.round(ROWS * scale)]));
      const peak = await follower.peakMb();
      await mustBeEqual(databases, 'public.narrow');
      return { statement, toEqual, ...memoryOf(peak) };
    }),
};
