import type { Strategy } from '../strategy.ts';

/** The row that was changed first; at the same microsecond that of the database that the config names first. */
export const firstUpdateWins: Strategy = {
  name: 'first-update-wins',
  summary: 'the row that was changed first wins',
  decide: ({ candidates }) => {
    const winner = candidates.reduce((best, each) => (each.at < best.at || (each.at === best.at && each.member < best.member) ? each : best));
    return { kind: 'take', member: winner.member };
  },
};
