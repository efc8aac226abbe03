import { type LiveCheck, liveFault } from '../inspection.ts';

/** Nothing can be installed in, or written to, a standby. */
export const standby: LiveCheck = {
  code: 'SAR406',
  summary: 'the server is not a standby',
  run: ({ database, inspection }) => {
    if (!inspection.role.inRecovery) return [];
    return [
      liveFault({
        code: 'SAR406',
        database,
        message: 'the server is in recovery (a standby): it takes no writes',
        hint: 'Use the connection string of the primary.',
      }),
    ];
  },
};
