import { mustBeEqual } from '../harness/check.ts';
import { settle, waitFor } from '../harness/following.ts';
import { fillWide, FREEZE_WIDE, TABLES, WIDE_ROW } from '../harness/tables.sql.ts';
import { MEMORY, memoryOf, type Measures, type Workload } from '../harness/workload.ts';
import type { Databases, Peer } from '../harness/peer.ts';
import { bucardo } from '../peers/bucardo.ts';
import { native } from '../peers/native.ts';
import { pipe } from '../peers/pipe.ts';
import { sarrio } from '../peers/sarrio.ts';

const ROWS = 2_000_000;

/** First load of a target, its primary key in place: from the order to copy (for Sarrio the start of the program) until the rows are visible. */
export const initialCopy: Workload = {
  name: 'initial-copy',
  title: 'initial-copy: 2M rows of 327 bytes',
  peers: [pipe, native, sarrio, bucardo],
  lines: [{ measure: 'copy', title: 'order to visible, s', goal: { to: 'pipe', atMost: 1.05 } }, MEMORY],
  prepare: async (database, { isSource, scale }) => {
    await database.script(TABLES);
    if (!isSource) return;
    await database.query(fillWide(Math.round(ROWS * scale)));
    await database.query(FREEZE_WIDE);
  },
  measure,
};

async function measure(peer: Peer, databases: Databases, scale: number): Promise<Measures> {
  const start = await peer.prepareCopy(databases);
  await settle(databases);
  const started = performance.now();
  const follower = await start();
  try {
    await waitFor(databases, WIDE_ROW, [Math.round(ROWS * scale)]);
    const copy = (performance.now() - started) / 1000;
    const peak = await follower.peakMb();
    await mustBeEqual(databases, 'public.wide');
    return { copy, ...memoryOf(peak) };
  } finally {
    await follower.stop();
  }
}
