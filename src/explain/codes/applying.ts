import type { Explanation } from '../explanation.ts';

/** The change plan and its installation. */
export const APPLYING: readonly Explanation[] = [
  {
    code: 'SAR501',
    summary: 'the plan has no table, but objects of the project are installed',
    explanation: 'A config that is read as empty would remove everything. That is refused, whatever else is said.',
    example: 'a pattern that matches nothing since a schema was renamed',
    cure: 'If everything is to go: sarrio destroy. Otherwise look at the config.',
  },
  {
    code: 'SAR502',
    summary: 'a step would lose something and is not approved',
    explanation: 'Each loss is approved by its name, after its evidence was seen. There is no switch that approves everything.',
    example: 'a table is taken out of the config while changes of it wait',
    cure: "--allow '<the name in the message>', if that is meant.",
  },
  {
    code: 'SAR503',
    summary: 'the change plan is not the one that was approved',
    explanation: 'Between the approval and apply the config or the database has changed; what would be done now was not looked at.',
    example: 'sarrio apply --expect 1a2b…',
    cure: 'Look at sarrio plan again and approve what it says now.',
  },
  {
    code: 'SAR504',
    summary: 'another apply is at work',
    explanation: 'Each database has one lock for those who change it; the message names who holds it.',
    example: 'two deploy jobs at once',
    cure: 'Wait, or wait longer with --wait-lock SECONDS. If that process is dead, end its backend.',
  },
  {
    code: 'SAR505',
    summary: 'a table stayed locked',
    explanation:
      'Installing a trigger waits for the transactions that use the table, briefly and several times, so that your application never queues behind us for long.',
    example: 'a report that has read the table for an hour',
    cure: 'Run again when these sessions are done; --ddl-retries and --ddl-lock-timeout try longer.',
  },
  {
    code: 'SAR506',
    summary: 'a statement of apply failed',
    explanation: 'Its transaction was rolled back; what was applied before stands.',
    example: 'a statement was refused by an event trigger',
    cure: 'Mend the cause and run the same command again: it goes on from there.',
  },
  {
    code: 'SAR507',
    summary: 'after applying there is still something to do',
    explanation: 'Planning again must find nothing. If it does, somebody changes the same objects at the same time, or it is a bug of ours.',
    example: 'a migration tool drops the triggers meanwhile',
    cure: 'Run sarrio plan; if it stays like this, report it.',
  },
  {
    code: 'SAR508',
    summary: 'destroy is not confirmed',
    explanation: 'It removes every object of the project and all changes that are not replicated yet.',
    example: 'sarrio destroy',
    cure: 'sarrio destroy --plan-only shows what would go; then --confirm <project>.',
  },
  {
    code: 'SAR509',
    summary: 'an object was altered by hand in a way that running its statements does not undo',
    explanation: 'What the catalog holds after apply is compared with what it held when the object was made.',
    example: 'ALTER TABLE sarrio.… ADD COLUMN',
    cure: 'Undo the change by hand, as the statements in generated/ have it.',
  },
  {
    code: 'SAR510',
    summary: 'an object in schema sarrio is not ours',
    explanation: 'It is left alone: we change and drop only what is in the inventory.',
    example: 'create table sarrio.notes ()',
    cure: 'Nothing has to be done; it would rather stand elsewhere.',
  },
  {
    code: 'SAR511',
    summary: 'changes may have gone by uncaptured',
    explanation: 'A trigger was disabled, dropped or replaced for a time. What was written then is not known.',
    example: 'ALTER TABLE … DISABLE TRIGGER ALL during a restore',
    cure: 'Apply lets every target take the rows of the table anew. Where you know that nothing is missing: --allow as the hint says.',
  },
  {
    code: 'SAR512',
    summary: 'apply was interrupted',
    explanation: 'A signal came between two groups of steps; each group is one transaction, so nothing is half done.',
    example: 'Ctrl-C',
    cure: 'Run the same command again: it goes on from there.',
  },
  {
    code: 'SAR513',
    summary: 'a partition is new',
    explanation: 'It is captured from now on, and the rows that it holds are sent. What was deleted in it by statements that named it directly is not known.',
    example: 'CREATE TABLE … PARTITION OF',
    cure: 'If there were such deletions, sarrio copy afterwards.',
  },
  {
    code: 'SAR514',
    summary: 'somebody changed the table meanwhile',
    explanation: 'Its triggers or partitions are not those for which the change plan was made. Nothing of this table was changed.',
    example: 'a migration at the same moment',
    cure: 'Run the same command again.',
  },
];
