import type { Rule } from '../rule.ts';

/** SAR200. */
export const notPulled: Rule = {
  code: 'SAR200',
  severity: 'error',
  summary: 'a database is missing from the schema lock',
  explanation: 'Tables, columns and keys come from generated/schema.lock.json, which `sarrio pull` writes from the catalogs.',
  example: 'a database was added to the config',
  cure: 'Run sarrio pull with its variable set.',
  run: ({ config, lock }) =>
    Object.keys(config.databases)
      .filter((name) => !Object.hasOwn(lock.databases, name))
      .map((name) => ({ path: ['databases', name], part: 'key', message: `the schema lock knows nothing of database '${name}'`, hint: 'Run `sarrio pull`.' })),
};
