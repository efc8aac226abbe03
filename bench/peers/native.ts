import { waitUntil } from '../../test/support/wait.ts';
import type { Databases, Follower, Peer } from '../harness/peer.ts';
import { DISABLE, ENABLE, IS_STREAMING, PUBLISH, subscribe, UNSUBSCRIBE } from './native.sql.ts';

/** PostgreSQL's own publication and subscription at their defaults. */
export const native: Peer = {
  name: 'native',
  missing: async () => null,
  follow: async (databases) => {
    await databases.source.query(PUBLISH);
    await databases.target.query(subscribe(databases.source, { copyData: false }));
    const follower = subscribed(databases);
    await follower.isRunning();
    return follower;
  },
  prepareCopy: async (databases) => {
    const { source, target } = databases;
    await source.query(PUBLISH);
    return async () => {
      await target.query(subscribe(source, { copyData: true }));
      return subscribed(databases);
    };
  },
};

/** Its processes belong to the servers and share their memory, so they have no figure of their own. */
function subscribed({ source, target }: Databases): Follower {
  const isStreaming = async (): Promise<boolean> => (await source.query(IS_STREAMING)).length > 0;
  return {
    peakMb: async () => null,
    pid: () => null,
    stop: async () => void (await target.query(UNSUBSCRIBE)),
    pause: async () => {
      await target.query(DISABLE);
      await waitUntil('the subscription has stopped', async () => !(await isStreaming()));
    },
    resume: async () => void (await target.query(ENABLE)),
    isRunning: () => waitUntil('the subscription streams', isStreaming, { everyMs: 5 }),
  };
}
