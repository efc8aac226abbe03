import { mustBeEqual } from '../harness/check.ts';
import { settle, timed } from '../harness/following.ts';
import type { Databases, Peer } from '../harness/peer.ts';
import { CHANGE_ONE_OF_A_THOUSAND, EMPTY_WIDE, fillWide, FREEZE_WIDE, TABLES } from '../harness/tables.sql.ts';
import type { Measures, Workload } from '../harness/workload.ts';
import { copyThrough } from '../peers/pipe.ts';
import { prepareFullCopy, sarrio } from '../peers/sarrio.ts';

const ROWS = 2_000_000;

/** Full copies of a target that holds all rows already, one of a thousand of them changed anywhere: what each method costs, start of the program included. */
export const fullCopy: Workload = {
  name: 'full-copy',
  title: 'full-copy: 2M rows of 327 bytes, 0.1 % of them changed',
  peers: [sarrio],
  lines: [
    { measure: 'pipe', title: 'TRUNCATE and a COPY pipe, s' },
    { measure: 'delete', title: 'delete, s' },
    { measure: 'truncate', title: 'truncate, s' },
    { measure: 'swap', title: 'swap, s' },
    { measure: 'changedOnly', title: 'changed-only, s' },
    { measure: 'byPipe', title: 'truncate by the pipe', goal: { atMost: 1.05 } },
    { measure: 'ratio', title: 'changed-only by truncate', goal: { atMost: 0.15 } },
  ],
  prepare: async (database, { scale }) => {
    await database.script(TABLES);
    await database.query(fillWide(Math.round(ROWS * scale)));
    await database.query(FREEZE_WIDE);
  },
  measure,
};

async function measure(_: Peer, databases: Databases): Promise<Measures> {
  const seconds = async (method: string): Promise<number> => {
    const copy = await prepareFullCopy(databases, method);
    await databases.source.query(CHANGE_ONE_OF_A_THOUSAND);
    await settle(databases);
    const taken = await timed(copy);
    await mustBeEqual(databases, 'public.wide');
    return taken;
  };
  const changedOnly = await seconds('changed-only');
  const [swap, truncate] = [await seconds('swap'), await seconds('truncate')];
  const deleted = await seconds('delete');
  await settle(databases);
  const pipe = await timed(async () => {
    await databases.target.query(EMPTY_WIDE);
    await copyThrough(databases);
  });
  return { changedOnly, swap, truncate, pipe, delete: deleted, byPipe: truncate / pipe, ratio: changedOnly / truncate };
}
