import type { Follower, Peer } from '../harness/peer.ts';

const nobody: Follower = {
  peakMb: async () => null,
  stop: async () => undefined,
  pause: async () => undefined,
  resume: async () => undefined,
  isRunning: async () => undefined,
  pid: () => null,
};

/** The source alone. */
export const none: Peer = {
  name: 'none',
  missing: async () => null,
  follow: async () => nobody,
  prepareCopy: async () => async () => nobody,
};
