import type { Explanation } from '../explanation.ts';

/** Tables that `--with-schema` makes. */
export const MAKING: readonly Explanation[] = [
  {
    code: 'SAR440',
    summary: 'a missing table or type cannot be made exactly as the source has it',
    explanation:
      'sarrio pull --with-schema writes SQL for what a target lacks. What it cannot render exactly (inheritance, typed tables, other access methods, a range type with functions of its own) it refuses by name, and then writes nothing.',
    example: 'public.child inherits from public.parent',
    cure: 'Make this object on the target by hand, then run sarrio pull --with-schema again: what is there is left out.',
  },
  {
    code: 'SAR441',
    summary: 'a missing table needs something that is not made with it',
    explanation:
      'Functions and operators of users, and extensions that the role may not install, are never copied; and the role needs CREATE on the schemas. The hint says what to run.',
    example: 'a CHECK calls app.is_valid(text), which the target does not have',
    cure: 'Run what the hint says on the target, then sarrio pull --with-schema again.',
  },
  {
    code: 'SAR442',
    summary: 'a missing table has something that the target is too old for',
    explanation:
      'The source is a newer PostgreSQL: virtual generated columns, constraints over periods or NOT ENFORCED need 18; NULLS NOT DISTINCT needs 15; and so on.',
    example: 'a virtual generated column on 18, and a target of version 16',
    cure: 'Upgrade the target, leave the column out with columns.omit, or make the table there by hand in another way.',
  },
  {
    code: 'SAR443',
    summary: 'a missing table needs a name that is taken, or a type that is another one on the target',
    explanation:
      'Nothing that exists is ever altered or replaced by --with-schema. A table made with another type of the same name would not be the same table.',
    example: 'public.mood has the labels sad and ok there, and sad, ok and happy on the source',
    cure: 'Rename or change what stands there by hand, then run sarrio pull --with-schema again.',
  },
  {
    code: 'SAR444',
    summary: 'a table of the target is there and differs from what would have been made',
    explanation:
      'Columns, constraints or indexes are missing or others. Somebody may have meant that, so nothing is altered; whether rows can flow, compile says.',
    example: 'the target has no index on public.orders (placed_at)',
    cure: 'Nothing if that is meant. Otherwise change the target by hand or with sarrio migrate.',
  },
  {
    code: 'SAR445',
    summary: 'a file of generated/schema cannot be used',
    explanation: 'It is no file of sarrio pull --with-schema, of another format, or was changed after it was written. What is reviewed is what runs.',
    example: 'somebody has added a column in generated/schema/west.sql',
    cure: 'Run sarrio pull --with-schema again. What is to be made in another way, make by hand.',
  },
  {
    code: 'SAR446',
    summary: 'some of what a file of generated/schema makes is there already',
    explanation: 'The file makes all or nothing. Objects that came in between may be other ones than those that were reviewed.',
    example: 'somebody has made public.orders by hand since the pull',
    cure: 'Run sarrio pull --with-schema again and review what is left.',
  },
  {
    code: 'SAR447',
    summary: 'a statement of generated/schema failed',
    explanation: 'Each database gets its tables in one transaction, so nothing of that file was made. The message has what the server said.',
    example: 'the server was built without lz4',
    cure: 'Mend the cause and run sarrio apply --with-schema again, or make this object by hand and run sarrio pull --with-schema again.',
  },
  {
    code: 'SAR448',
    summary: 'something of a table is not made with it',
    explanation:
      'Constraints and indexes over columns that do not flow, foreign keys to tables that the target does not get or gets in part, and triggers, rules and row security are left out; each is named. Owners and grants are never copied.',
    example: 'public.orders has row security, which the target does not get',
    cure: 'Nothing if that is meant. Otherwise make it by hand.',
  },
];
