import { waitUntil } from '../../test/support/wait.ts';
import type { Databases, Follower, Peer } from '../harness/peer.ts';
import { IS_STREAMING, PUBLISH, subscribe, UNSUBSCRIBE } from './native.sql.ts';

/** PostgreSQL's own publication and subscription at their defaults. */
export const native: Peer = {
  name: 'native',
  missing: async () => null,
  follow: async (databases) => {
    const { source, target } = databases;
    await source.query(PUBLISH);
    await target.query(subscribe(source, { copyData: false }));
    await waitUntil('the subscription streams', async () => (await source.query(IS_STREAMING)).length > 0);
    return subscribed(databases);
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
function subscribed({ target }: Databases): Follower {
  return { peakMb: async () => null, stop: async () => void (await target.query(UNSUBSCRIBE)) };
}
