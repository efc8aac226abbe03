import { oneWaySyncs, type Rule } from '../rule.ts';

/** SAR119. */
export const targetTwice: Rule = {
  code: 'SAR119',
  severity: 'error',
  summary: 'a sync lists a target twice',
  explanation: 'A stream goes from one source to one target; two of the same would wait for each other.',
  example: "targets: ['west', 'west']",
  cure: 'Leave one of them out.',
  run: (input) =>
    oneWaySyncs(input).flatMap(([sync, { targets }]) =>
      targets.flatMap((target, position) => {
        if (targets.indexOf(target) === position) return [];
        return [{ path: ['syncs', sync, 'targets', position], message: `target '${target}' is listed twice`, hint: 'Leave one of the two out.' }];
      }),
    ),
};
