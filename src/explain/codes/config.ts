import type { Explanation } from '../explanation.ts';

/** Calls of the program, and what is wrong with a config before its names are looked up. */
export const CONFIG: readonly Explanation[] = [
  {
    code: 'SAR001',
    summary: 'the command line is not understood',
    explanation: 'An option, an argument or a verb is unknown or has a value that it cannot have. Nothing was read or contacted.',
    example: 'sarrio plan --exitcode',
    cure: 'sarrio <verb> --help lists what there is.',
  },
  {
    code: 'SAR002',
    summary: 'something unexpected happened',
    explanation:
      'An error that no code of ours foresaw: a bug, or a machine without memory or disk. What was running has stopped; transactions that were open were rolled back.',
    example: 'The disk that holds generated/ is full.',
    cure: 'Run again with SARRIO_DEBUG=1 to see where it came from, and report it with that text.',
  },
  {
    code: 'SAR003',
    summary: 'no diagnostic has this code',
    explanation: '`sarrio explain` knows the codes that this version can say. A code of a newer version is not among them.',
    example: 'sarrio explain SAR999',
    cure: 'Check the digits. sarrio explain without a code lists all of them.',
  },
  {
    code: 'SAR004',
    summary: 'it did not end in time',
    explanation:
      'With --timeout a verb that has not ended by itself by then is told to stop: it ends or rolls back its step and lets go of its locks. One that does not stop within five seconds more is left, and the servers roll back what it had open.',
    example: 'sarrio run --until-caught-up --timeout 10min   # more came than went',
    cure: 'Look what it waits for (sarrio doctor, sarrio status), or give it more time. The same command goes on where it was.',
  },
  {
    code: 'SAR100',
    summary: 'the config file is not there',
    explanation: 'A config is looked for in the folder in which the program runs, and nowhere else: no layers that are merged, no search upwards.',
    example: 'sarrio compile in a folder without replication.config.ts',
    cure: 'Run in the folder of the config, or name the file: --config db/replication.config.ts',
  },
  {
    code: 'SAR101',
    summary: 'the config cannot be evaluated',
    explanation: 'The file has a syntax error, throws, or imports something that is not there. The place is that of the error, where the error tells it.',
    example: "import { tables } from './no-such-file.ts'",
    cure: 'Put the error right. A config needs no database and no secret to be read.',
  },
  {
    code: 'SAR102',
    summary: 'the file exports no config',
    explanation: 'What counts is the default export of the file, awaited once if it is a promise.',
    example: 'const config = defineReplication({ … });',
    cure: 'export default defineReplication({ … });',
  },
  {
    code: 'SAR103',
    summary: 'a key is not known here',
    explanation: 'A key that is silently dropped is a setting that you believe to have made. So every unknown one is an error.',
    example: "shop: { mode: 'one-way', sourc: 'east', … }",
    cure: 'Write it as the message suggests, or leave it out.',
  },
  {
    code: 'SAR104',
    summary: 'a key is missing',
    explanation: 'The object has no value for something that has no default.',
    example: "shop: { mode: 'one-way', targets: ['west'], tables: ['public.*'] }   // no source",
    cure: 'Add the key.',
  },
  {
    code: 'SAR105',
    summary: 'a value is not one that can stand here',
    explanation: 'It has another type, is empty, or is none of the texts that are allowed. Values that may hold a secret are not repeated in the message.',
    example: "mode: 'oneway'",
    cure: 'Write one of the values that the message names.',
  },
  {
    code: 'SAR106',
    summary: 'the config did not end',
    explanation:
      'A config is a value: reading it takes a moment. This one was still at work when its time was over, or waits for something that never comes, so its process was ended.',
    example: 'export default await fetch(…)',
    cure: 'Leave out whatever waits: connections, timers, loops without an end. --config-timeout SECONDS gives more time.',
  },
  {
    code: 'SAR107',
    summary: 'the config ended its process',
    explanation:
      'A config that calls process.exit(), or is killed, has said nothing. It is read in a process of its own, so that the program itself goes on and can tell.',
    example: 'if (!ready) process.exit(0);',
    cure: 'Throw an error instead of exiting.',
  },
  {
    code: 'SAR108',
    summary: 'the config reads something that is not the same everywhere',
    explanation:
      'The generated files are reviewed once and must be the same wherever they are made. The environment, the clock and random numbers differ from machine to machine.',
    example: "databases: { east: { env: process.env.EAST ?? 'EAST_URL' } }",
    cure: "Name a connection by env('EAST_URL'): it is looked up when connecting. Leave clock and randomness out.",
  },
  {
    code: 'SAR109',
    summary: 'the config is another one each time it is read',
    explanation:
      'It was read twice, with different time zones, locales and environments, and came out different at the place that is named. What would be generated depends on where it is generated.',
    example: 'tables: names.sort((one, other) => one.localeCompare(other))',
    cure: 'Make the value depend on nothing but the text of the config: compare by code units (one < other), read no file that differs.',
  },
  {
    code: 'SAR114',
    summary: 'a table is listed twice in one sync',
    explanation: 'Two entries for one table would be two settings for it, and one of them would not count.',
    example: "tables: ['public.orders', { table: 'public.orders', where: 'paid' }]",
    cure: 'Leave one of the two out.',
  },
  {
    code: 'SAR115',
    summary: 'a text is not the name of a table',
    explanation:
      'A name has a schema and a table. A star makes it a pattern, for tables of one schema. Dots, stars and quotes that belong to the name go into double quotes.',
    example: "tables: ['orders', '*.orders']",
    cure: `'public.orders', 'public.*', 'public."odd.name"'`,
  },
  {
    code: 'SAR116',
    summary: 'a setting of one table is given for a pattern',
    explanation: 'Other names, keys and computed columns belong to one table. A pattern may take many.',
    example: "{ table: 'public.*', rename: 'public.copy' }",
    cure: 'List the tables that need the setting by their names; a name beats a pattern.',
  },
  {
    code: 'SAR118',
    summary: 'a table fits two patterns with different settings',
    explanation: 'Which of the two settings is meant for it cannot be told.',
    example: "tables: [{ table: 'public.a*', where: 'live' }, 'public.*b']   // and there is public.ab",
    cure: 'List that table by its name with the settings that it should have.',
  },
];
