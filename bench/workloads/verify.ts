import { settle, timed } from '../harness/following.ts';
import type { Databases } from '../harness/peer.ts';
import { fillNarrow, hashRows, TABLES, VACUUM } from '../harness/tables.sql.ts';
import type { Workload } from '../harness/workload.ts';
import { prepareVerify, sarrio } from '../peers/sarrio.ts';

const ROWS = 5_000_000;

/** What comparing every row costs when all are equal, beside hashing each side once in two sessions at the same time. */
export const verify: Workload = {
  name: 'verify',
  title: 'verify: 5M equal narrow rows',
  peers: [sarrio],
  lines: [
    { measure: 'scans', title: 'both sides hashed in SQL, s' },
    { measure: 'verify', title: 'sarrio verify, s' },
    { measure: 'ratio', title: 'the latter by the former', goal: { atMost: 1.5 } },
  ],
  prepare: async (database, { isSource, scale }) => {
    await database.script(TABLES);
    if (isSource) await database.query(fillNarrow(Math.round(ROWS * scale)));
  },
  measure: async (_, databases) => {
    const compare = await prepareVerify(databases);
    await Promise.all(both(databases).map((database) => database.query(VACUUM)));
    await settle(databases);
    const scan = (): Promise<number> => timed(() => Promise.all(both(databases).map((database) => database.query(hashRows('narrow')))));
    await scan();
    const scans = await scan();
    const seconds = await timed(compare);
    return { scans, verify: seconds, ratio: seconds / scans };
  },
};

function both({ source, target }: Databases): readonly Databases['source'][] {
  return [source, target];
}
