import { pipeline } from 'node:stream/promises';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import type { Databases, Peer } from '../harness/peer.ts';
import { none } from './none.ts';
import { COPY_IN, COPY_OUT } from './pipe.sql.ts';

/** COPY TO piped into COPY FROM in this process: what copying a table costs at the least. It copies and does not follow. */
export const pipe: Peer = {
  ...none,
  name: 'pipe',
  prepareCopy: async (databases) => async () => {
    await copyThrough(databases);
    return none.follow(databases);
  },
};

/** The workload's wide table, its rows added to those of the target. */
export async function copyThrough({ source, target }: Databases): Promise<void> {
  const clients = await Promise.all([source.connect(), target.connect()]);
  const [reader, writer] = clients;
  try {
    await pipeline(reader.query(copyTo(COPY_OUT)), writer.query(copyFrom(COPY_IN)));
  } finally {
    await Promise.all(clients.map((client) => client.end()));
  }
}
