import { type Finding, masterSyncs, type Rule } from '../rule.ts';

/** SAR260. */
export const members: Rule = {
  code: 'SAR260',
  severity: 'error',
  summary: 'a multi-master sync has fewer than two members, or one twice',
  explanation: 'Each member exchanges its changes with every other one; their order decides ties.',
  example: "members: ['east']",
  cure: 'Name two databases or more.',
  run: (input) =>
    masterSyncs(input).flatMap(([sync, { members: names }]): readonly Finding[] => {
      const path = ['syncs', sync, 'members'];
      const twice = names.flatMap((name, position) => (names.indexOf(name) === position ? [] : [{ name, position }]));
      if (new Set(names).size < 2) {
        return [
          {
            path,
            message: `sync '${sync}' has fewer than two members`,
            hint: 'List two databases or more; for copies that nobody writes to use a one-way sync.',
          },
        ];
      }
      return twice.map(({ name, position }) => ({ path: [...path, position], message: `member '${name}' is listed twice`, hint: 'Leave one of the two out.' }));
    }),
};
