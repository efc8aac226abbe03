import type { Explanation } from '../explanation.ts';

/** Tables that change under a running sync, and migrations. */
export const CHANGING: readonly Explanation[] = [
  {
    code: 'SAR650',
    summary: 'a table waits, because it is not what the plan was compiled for',
    explanation:
      'Somebody altered it at the source or at a target, or at any of several masters. Applying rows to it would be wrong, or would lose what is new in it, so it sits the rounds out alone; its changes are kept, and the other tables go on.',
    example: 'ALTER TABLE orders ADD COLUMN note text at the source alone',
    cure: 'Make the same change everywhere, or undo it; then pull, compile, plan, apply. The runner goes on with the new plan by itself. Next time sarrio migrate does all of it.',
  },
  {
    code: 'SAR651',
    summary: 'a table waits for another one',
    explanation: 'It has a foreign key to a table that waits: without it, its rows would point to rows that are missing.',
    example: 'order lines, while orders wait',
    cure: 'Nothing of its own: it goes on together with the other one.',
  },
  {
    code: 'SAR652',
    summary: 'a table rests for a migration',
    explanation: 'sarrio migrate lets the tables that it touches rest until every database has the migration and the new plan stands.',
    example: 'sarrio migrate was killed half way',
    cure: 'Wait for it; or run the same command again, which finishes it; or take it back with --undo.',
  },
  {
    code: 'SAR820',
    summary: 'a file cannot be a migration',
    explanation:
      'All of its statements run in one transaction of each database, together with the record that they ran. Some statements cannot be part of one.',
    example: 'CREATE INDEX CONCURRENTLY, or a COMMIT in the file',
    cure: 'Do these before or after the migration.',
  },
  {
    code: 'SAR821',
    summary: 'another migration is half way',
    explanation: 'It was begun and has not come to its end; two at a time could not be told apart.',
    example: 'the command was killed yesterday',
    cure: 'Finish it by the same command, or take it back with --undo.',
  },
  {
    code: 'SAR822',
    summary: 'the statements of a migration failed',
    explanation: 'The database rolled them back with everything that belongs to them.',
    example: 'a column that one of the databases does not have',
    cure: 'Mend the cause and run the same command again; or take it back with --undo.',
  },
  {
    code: 'SAR823',
    summary: 'a migration would lose changes that are on their way',
    explanation:
      'It takes away a table, a column or a key, and some target has not applied what was captured of it. It was waited for with writers kept out, as long as --drain says.',
    example: 'a column is dropped while the runner is stopped',
    cure: 'See that sarrio run works and reaches every target, then run the same command again; --drain waits longer.',
  },
  {
    code: 'SAR824',
    summary: 'nobody can say which databases a migration has to run in first',
    explanation: 'What is added goes to targets first, what is taken away to sources first; the file does both, or the flag says the opposite of what it does.',
    example: 'ALTER TABLE orders ADD COLUMN a integer, DROP COLUMN b',
    cure: 'Make two migrations of it, or say --contract or --expand.',
  },
  {
    code: 'SAR825',
    summary: 'a migration leaves members of a multi-master sync out',
    explanation: 'It changes a table that all members write to, and --database names only some of them. No plan fits a table that differs between its members.',
    example: 'sarrio migrate add.sql --database east, where east and west are masters',
    cure: 'Leave --database out, or name all members.',
  },
  {
    code: 'SAR826',
    summary: 'a migration has to begin from databases that are as their plan says',
    explanation: 'Otherwise what differs afterwards could not be told from what differed before.',
    example: 'compile was run and apply was not',
    cure: 'sarrio plan, sarrio apply; then the migration.',
  },
  {
    code: 'SAR827',
    summary: 'a migration cannot be taken back like this',
    explanation: 'It is through everywhere; or it has run somewhere, and only you know which statements undo it.',
    example: 'sarrio migrate add.sql --undo, after it ran at the target',
    cure: 'Write what undoes it into a file and name that after --undo; or write a migration that does the opposite.',
  },
  {
    code: 'SAR828',
    summary: 'sarrio migrate was called wrongly',
    explanation: 'It names a file or a database that does not exist, or says both --expand and --contract.',
    example: 'sarrio migrate missing.sql',
    cure: 'Put right what the message says.',
  },
  {
    code: 'SAR829',
    summary: 'the role that migrates does not own the table',
    explanation:
      'PostgreSQL lets only the owner of a table, or a member of that role, change it. A migration runs as the role that applies, because captures are changed with the table, in one transaction.',
    example: 'the tables belong to shop_owner, and APPLY connects as sarrio_owner',
    cure: 'GRANT shop_owner TO sarrio_owner; and take it back afterwards, if it is not to stay.',
  },
];
