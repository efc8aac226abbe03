import { oneWaySyncs, type Rule } from '../rule.ts';

/** SAR111. */
export const sourceIsTarget: Rule = {
  code: 'SAR111',
  severity: 'error',
  summary: 'a sync has its source among its targets',
  explanation: 'Every row that arrives would be a change again.',
  example: "source: 'east', targets: ['east']",
  cure: 'Take it out of the targets.',
  run: (input) =>
    oneWaySyncs(input).flatMap(([sync, { source, targets }]) =>
      targets.flatMap((target, position) => {
        if (target !== source) return [];
        const message = `database '${target}' is both source and target of sync '${sync}'`;
        return [{ path: ['syncs', sync, 'targets', position], message, hint: 'Leave it out of the targets.' }];
      }),
    ),
};
