import { describe, expect, test } from 'vitest';
import { redactor } from '../../src/commands/redact.ts';

const ENV = {
  EAST_URL: 'postgresql://app:hunter2secret@east.example:5432/shop?sslmode=require',
  WEST_URL: 'postgres://app:p%40ss%22word%21@west.example/shop',
  NORTH: 'host=north password=northernlights user=app',
  DULL: 'postgres://postgres:postgres@localhost/postgres',
  PATH: '/usr/bin',
  EMPTY: undefined,
};

describe('output', () => {
  const redact = redactor(ENV);

  test.each([
    ['connection string', `cannot connect to ${ENV.EAST_URL}`],
    ['password', 'password hunter2secret is wrong'],
    ['password as it was decoded', 'tried p@ss"word! there'],
    ['password in JSON', JSON.stringify({ message: 'tried p@ss"word!' })],
    ['password as it was written', 'p%40ss%22word%21'],
    ['password of a key=value string', 'northernlights'],
    ['another connection string', 'postgresql://you:whatever@host/db'],
  ])('never has a %s', (_, text) => {
    expect(redact(text)).toContain('***');
    expect(redact(text)).not.toMatch(/hunter2secret|p@ss|p%40|northernlights|whatever/);
  });

  test('keeps other words, and words that a trivial password is made of', () => {
    const text = 'database "postgres" of user postgres, path /usr/bin, east.example, shop';
    expect(redact(text)).toBe(text);
    expect(redact(`at ${ENV.DULL}`)).toBe('at ***');
  });
});
