import { mustBeEqual } from '../harness/check.ts';
import { timed, waitFor, withFollower } from '../harness/following.ts';
import type { Peer } from '../harness/peer.ts';
import { FREEZE_STAGED_WIDE, FREEZE_WIDE, fillWide, INSERT_WIDE, stageWide, TABLES, UPDATE_WIDE, UPDATED_WIDE_ROW, WIDE_ROW } from '../harness/tables.sql.ts';
import { MEMORY, memoryOf, type Workload } from '../harness/workload.ts';
import { bucardo } from '../peers/bucardo.ts';
import { native } from '../peers/native.ts';
import { none } from '../peers/none.ts';
import { sarrio } from '../peers/sarrio.ts';

const ROWS = 300_000;
const peers: readonly Peer[] = [none, native, sarrio, bucardo];

/** Rows of 327 bytes in one statement. */
export const wideInsert: Workload = {
  name: 'wide-insert',
  title: 'wide-insert: 300k rows of 327 bytes in one INSERT',
  peers,
  lines: [
    { measure: 'statement', title: 'source statement, s' },
    { measure: 'toEqual', title: 'commit to equal, s', goal: { to: 'native', atMost: 0.7 } },
    MEMORY,
  ],
  prepare: async (database, { isSource, scale }) => {
    await database.script(TABLES);
    if (!isSource) return;
    await database.script(stageWide(Math.round(ROWS * scale)));
    await database.query(FREEZE_STAGED_WIDE);
  },
  measure: (peer, databases, scale) => bulk({ peer, databases, statement: INSERT_WIDE, row: WIDE_ROW, rows: Math.round(ROWS * scale) }),
};

/** Two columns of each row, in one statement. */
export const wideUpdate: Workload = {
  name: 'wide-update',
  title: 'wide-update: two columns of 300k rows of 327 bytes in one UPDATE',
  peers,
  lines: [
    { measure: 'statement', title: 'source statement, s', goal: { to: 'none', atMost: 1.4 } },
    { measure: 'toEqual', title: 'commit to equal, s', goal: { to: 'native', atMost: 1 } },
    MEMORY,
  ],
  prepare: async (database, { scale }) => {
    await database.script(TABLES);
    await database.query(fillWide(Math.round(ROWS * scale)));
    await database.query(FREEZE_WIDE);
  },
  measure: (peer, databases, scale) => bulk({ peer, databases, statement: UPDATE_WIDE, row: UPDATED_WIDE_ROW, rows: Math.round(ROWS * scale) }),
};

type Bulk = {
  readonly peer: Peer;
  readonly databases: Parameters<Workload['measure']>[1];
  readonly statement: string;
  readonly row: string;
  readonly rows: number;
};

function bulk({ peer, databases, statement, row, rows }: Bulk) {
  return withFollower(peer, databases, async (follower) => {
    const took = await timed(() => databases.source.query(statement));
    if (peer.name === 'none') return { statement: took };
    const toEqual = await timed(() => waitFor(databases, row, [rows]));
    const peak = await follower.peakMb();
    await mustBeEqual(databases, 'public.wide');
    return { statement: took, toEqual, ...memoryOf(peak) };
  });
}
