import { masterSyncs, type Rule } from '../rule.ts';

/** SAR275. */
export const oldLock: Rule = {
  code: 'SAR275',
  severity: 'error',
  summary: 'the schema lock is too old for a multi-master sync',
  explanation: 'Format 1.0 does not tell partial unique indexes, exclusion constraints, defaults of keys and triggers that fire for replicated rows.',
  example: 'generated/schema.lock.json of an earlier version',
  cure: 'Run sarrio pull.',
  run: (input) => {
    const [first] = masterSyncs(input);
    if (first === undefined || input.lock.format !== '1.0') return [];
    return [
      { path: ['syncs', first[0]], message: 'the schema lock was written by a version that did not know multi-master syncs', hint: 'Run `sarrio pull`.' },
    ];
  },
};
