import { mustBeEqual } from '../harness/check.ts';
import { settle, timed } from '../harness/following.ts';
import type { Databases, Peer } from '../harness/peer.ts';
import { CHANGE_ONE_OF_A_THOUSAND, fillWide, FREEZE_WIDE, TABLES } from '../harness/tables.sql.ts';
import type { Measures, Workload } from '../harness/workload.ts';
import { prepareFullCopy, sarrio } from '../peers/sarrio.ts';

const ROWS = 2_000_000;

/** Full copies of a target that holds all rows already, one of a thousand of them changed anywhere: what each method costs, start of the program included. */
export const fullCopy: Workload = {
  name: 'full-copy',
  title: 'full-copy: 2M rows of 327 bytes, 0.1 % of them changed',
  peers: [sarrio],
  lines: [
    { measure: 'delete', title: 'delete, s' },
    { measure: 'truncate', title: 'truncate, s' },
    { measure: 'swap', title: 'swap, s' },
    { measure: 'changedOnly', title: 'changed-only, s' },
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
  return { changedOnly, swap, truncate, delete: await seconds('delete'), ratio: changedOnly / truncate };
}
