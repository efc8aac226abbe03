import type { Flow } from '../../plan/flows.ts';
import type { StreamStart } from './stream-target.ts';
import type { InitialCopy } from './copying.ts';

/** What a copy does with rows that a target table holds. Whoever asked for a replacement (`sarrio copy --replace`) beats the config. */
export function existingRowsOf({ existingRows }: Pick<Flow, 'existingRows'>, start: StreamStart): Pick<InitialCopy, 'adopts' | 'replacesRows'> {
  const { replaceRows } = start.registration;
  return {
    adopts: existingRows === 'adopt' && !replaceRows,
    replacesRows: ({ ordinal }) => {
      const state = start.states[ordinal];
      return replaceRows || existingRows === 'replace' || (state?.kind === 'missing' && state.holdsOwnRows);
    },
  };
}
