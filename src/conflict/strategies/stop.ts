import type { Strategy } from '../strategy.ts';

/** A person decides: the table stops with nothing of it written, while the sync's others go on. */
export const stop: Strategy = { name: 'stop', summary: 'the table stops', decide: () => ({ kind: 'stop', reason: 'its rule is to stop at a conflict' }) };
