import type { Strategy } from '../strategy.ts';

/** The first database of the rule's list that takes part; of those that it does not name, the first in the sync's order. */
export const prefer: Strategy = {
  name: 'prefer',
  summary: 'the first of the listed databases that takes part wins',
  decide: ({ candidates, databases }, rule) => {
    const preferred = rule.strategy === 'prefer' ? rule.databases : [];
    const order = [...preferred, ...databases];
    const rank = (member: number): number => order.indexOf(databases[member] ?? '');
    const winner = candidates.reduce((best, each) => (rank(each.member) < rank(best.member) ? each : best));
    return { kind: 'take', member: winner.member };
  },
};
