import type { Explanation } from '../explanation.ts';

/** Names of the config that the schema lock is asked about, and functions that are taken out of the config. */
export const NAMES: readonly Explanation[] = [
  {
    code: 'SAR201',
    summary: 'there is no such table',
    explanation: 'The schema lock, which `sarrio pull` has read from the database, does not have it. Names are case-exact.',
    example: "tables: ['public.ordres']",
    cure: 'Correct the name; if the table is new, run sarrio pull.',
  },
  {
    code: 'SAR202',
    summary: 'no table fits a pattern',
    explanation: 'A pattern that takes nothing replicates nothing, which is hardly meant. In `exclude` it is only a warning.',
    example: "tables: ['public.order_*']   // there is public.orders",
    cure: 'Check the spelling; if the tables are new, run sarrio pull.',
  },
  {
    code: 'SAR203',
    summary: 'a table cannot be captured',
    explanation:
      'Changes are captured by triggers, which views and foreign tables do not have in the form that is needed; temporary and unlogged tables lose their rows.',
    example: "tables: ['public.a_view']",
    cure: "Name the tables behind it. A full copy (mode: 'full-copy') can read a view.",
  },
  {
    code: 'SAR204',
    summary: 'a pattern leaves something out',
    explanation: 'What a pattern fits but cannot take (views, foreign and unlogged tables) does not flow. That you should know.',
    example: "tables: ['public.*']   // and there is a view",
    cure: 'Add it to `exclude` to say that this is meant.',
  },
  {
    code: 'SAR205',
    summary: 'a partition is named instead of its table',
    explanation: 'Partitions come with the partitioned table that they belong to, and new ones with it.',
    example: "tables: ['public.events_2026']",
    cure: "tables: ['public.events']",
  },
  {
    code: 'SAR206',
    summary: 'there is no such column',
    explanation: 'A misspelt column in `omit` would send what was meant to stay, so it is never ignored.',
    example: "columns: { omit: ['pasword_hash'] }",
    cure: 'Correct the name; if the column is new, run sarrio pull.',
  },
  {
    code: 'SAR207',
    summary: 'the table has no such key',
    explanation: 'A key is a unique index on plain columns, with their usual equality and no condition. It is named, or given as the list of its columns.',
    example: "key: ['email']   // without a unique index on email",
    cure: 'Choose one of the keys that the message lists, or create the index and run sarrio pull.',
  },
  {
    code: 'SAR208',
    summary: 'columns of the key may be null',
    explanation: 'A row without a key value cannot be found again on the other side.',
    example: "key: ['email']   // email may be null",
    cure: 'ALTER TABLE … ALTER COLUMN email SET NOT NULL, then sarrio pull; or choose another key.',
  },
  {
    code: 'SAR209',
    summary: 'two columns go to one column of the target',
    explanation: 'One of the two values would be lost.',
    example: "columns: { rename: { mail: 'email' } }   // and there is a column email",
    cure: 'Omit one of them, or give it another name.',
  },
  {
    code: 'SAR210',
    summary: 'the table has no primary key',
    explanation: 'Changed rows are found by a key. Without one there is nothing to find them by.',
    example: 'create table log (line text)',
    cure: "Give it a primary key, name a unique index on NOT NULL columns as `key`, or copy it as a whole (mode: 'full-copy').",
  },
  {
    code: 'SAR224',
    summary: 'a generated column would have to be written',
    explanation: 'PostgreSQL computes generated columns itself and refuses values for them. It flows as long as all targets treat it alike.',
    example: 'total is generated on west and plain on north',
    cure: 'Make the targets alike, or leave the column out with columns.omit.',
  },
  {
    code: 'SAR244',
    summary: 'a column does not flow, because no target has it',
    explanation: "missingColumns: 'omit' leaves such columns out, and says so, since a column that was only forgotten looks the same.",
    example: 'a column was added on the source alone',
    cure: 'Add it on the targets and run sarrio pull, or say with columns.omit that it is meant to stay.',
  },
  {
    code: 'SAR280',
    summary: 'the text of a handler cannot be found',
    explanation:
      'A handler runs in the runner, which never executes the config. So its text is taken from the source, and it must stand there: in the place of use, or under a name that leads to it.',
    example: 'onConflict: handlers[region]',
    cure: 'Write the function where it is used, or import it by its name from a relative path.',
  },
  {
    code: 'SAR281',
    summary: 'a handler uses a variable of its surroundings',
    explanation:
      'Only what never changes can go along with a handler: a variable, or a parameter of a function around it, may have another value at each conflict.',
    example: "let limit = 3; … onConflict: (c) => (c.versions.length > limit ? skip() : take('east'))",
    cure: 'const limit = 3 at the top of the module.',
  },
  {
    code: 'SAR282',
    summary: 'a handler uses a constant that is not written out',
    explanation:
      'A value that is computed when the config is read could be another one elsewhere. Texts, numbers, true, false, null, and lists and objects of these go along.',
    example: 'const limits = readLimits();',
    cure: 'const limits = { gold: 3, silver: 1 };',
  },
  {
    code: 'SAR283',
    summary: 'a handler uses something that is imported in another way than by its name from a module of yours',
    explanation: 'The whole text of a handler is reviewed and goes into one file; packages and whole modules do not.',
    example: "import * as rules from './rules.ts'",
    cure: "import { rank } from './rules.ts'; copy a function of a package into a module of your own.",
  },
  {
    code: 'SAR284',
    summary: 'a handler asks for the time or for a random number',
    explanation: 'It must give the same answer whenever it is asked: another member, or the same one after a crash, asks it again.',
    example: "onConflict: () => take(Date.now() % 2 ? 'east' : 'west')",
    cure: "The conflict's own times are in versions[…].time.",
  },
  {
    code: 'SAR285',
    summary: 'a handler reaches for the world outside',
    explanation: 'Files, network, process and environment are not there when it runs, and what they say would not be the same for everybody who decides.',
    example: "onConflict: () => take(process.env.WINNER ?? 'east')",
    cure: 'Decide by the conflict alone.',
  },
  {
    code: 'SAR286',
    summary: 'a handler wants to answer later',
    explanation: 'A round of all members waits for the answer, so it is given at once: no async, no await, no promises, no timers.',
    example: "onConflict: async () => take('east')",
    cure: "onConflict: () => take('east')",
  },
  {
    code: 'SAR287',
    summary: 'a handler uses something by which code could get out of where it runs',
    explanation: 'Constructors, prototypes and eval reach further than the values that a handler is given.',
    example: "onConflict: (c) => c.constructor.constructor('return process')()",
    cure: 'Plain functions over the values of the conflict.',
  },
  {
    code: 'SAR288',
    summary: 'a handler changes something outside of itself',
    explanation: 'What it leaves behind would decide the next conflict, and be gone after a restart.',
    example: "let last = ''; … onConflict: (c) => { last = c.table; return skip(); }",
    cure: 'Change variables of its own only.',
  },
  {
    code: 'SAR289',
    summary: 'a handler uses a name or a construct that is not among those it may use',
    explanation:
      'It is a closed function: parameters, variables, constants, other such functions, and the language. Classes, enums, namespaces and further globals are not.',
    example: 'onConflict: (c) => rank(c)   // rank is declared nowhere',
    cure: 'Declare it beside the config, or import it by its name.',
  },
];
