import type { Strategy } from '../strategy.ts';

/** The row that was changed last, by the clock of the database where that was; at the same microsecond the database that the config names first. */
export const lastUpdateWins: Strategy = {
  name: 'last-update-wins',
  summary: 'the row that was changed last wins',
  decide: ({ candidates }) => {
    const winner = candidates.reduce((best, each) => (each.at > best.at || (each.at === best.at && each.member < best.member) ? each : best));
    return { kind: 'take', member: winner.member };
  },
};
