import type { Rule } from '../rule.ts';

/** SAR113. */
export const sharedVariable: Rule = {
  code: 'SAR113',
  severity: 'error',
  summary: 'two databases have their connection string from one variable',
  explanation: 'They would be one database under two names, and a sync between them would write into its own source.',
  example: "east: env('DB_URL'), west: env('DB_URL')",
  cure: 'Give each database a variable of its own.',
  run: ({ config }) => {
    const first = new Map<string, string>();
    return Object.entries(config.databases).flatMap(([name, { env }]) => {
      const other = first.get(env);
      if (other === undefined) {
        first.set(env, name);
        return [];
      }
      const message = `databases '${other}' and '${name}' have the same variable ${env}`;
      return [{ path: ['databases', name], message, hint: 'Give each database a variable of its own.' }];
    });
  },
};
