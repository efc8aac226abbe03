import type { Strategy } from '../strategy.ts';

/** A person decides: the sync stops with nothing written. */
export const stop: Strategy = { name: 'stop', summary: 'the sync stops', decide: () => ({ kind: 'stop', reason: 'its rule is to stop at a conflict' }) };
