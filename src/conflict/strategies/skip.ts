import type { Strategy } from '../strategy.ts';

/** Every database keeps its row. They differ until the row is changed again somewhere. */
export const skip: Strategy = { name: 'skip', summary: 'every database keeps its own row, and the conflict is recorded', decide: () => ({ kind: 'skip' }) };
