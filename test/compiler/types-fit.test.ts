import { describe, expect, test } from 'vitest';
import { typesFit } from '../../src/compiler/3-check/types-fit.ts';
import type { DatabaseSchema } from '../../src/plan/schema-lock.ts';

const database = (labels: readonly string[], schema = 'public'): DatabaseSchema => {
  return { serverMajor: 17, encoding: 'UTF8', tables: [], enums: [{ schema, name: 'mood', labels }] };
};

describe('a type of the source on the target', () => {
  test.each([
    ['integer', 'bigint', true],
    ['bigint', 'integer', false],
    ['smallint', 'integer', true],
    ['smallint[]', 'integer[]', true],
    ['integer', 'integer[]', false],
    ['integer', 'text', false],
    ['character varying(10)', 'character varying(10)', true],
    ['character varying(10)', 'character varying', true],
    ['character varying', 'character varying(10)', false],
    ['character varying', 'text', true],
    ['text', 'character varying', false],
    ['character(2)', 'character(3)', true],
    ['character(3)', 'character(2)', false],
    ['numeric(8,2)', 'numeric(9,3)', true],
    ['numeric(8,2)', 'numeric(9,4)', false],
    ['numeric(8,2)', 'numeric(8,1)', false],
    ['numeric(8)', 'numeric(10,2)', true],
    ['numeric(5,-2)', 'numeric(7,0)', true],
    ['numeric', 'numeric(1000,500)', false],
    ['numeric(8,2)', 'numeric', true],
    ['real', 'double precision', true],
    ['double precision', 'real', false],
    ['timestamp with time zone', 'timestamp without time zone', false],
    ['timestamp(3) with time zone', 'timestamp(3) with time zone', true],
    ['public.citext', 'public.citext', true],
  ])('%s into %s: %s', (source, target, fits) => {
    expect(typesFit({ type: source, database: database([]) }, { type: target, database: database([]) })).toBe(fits);
  });

  test('an enum needs all labels of the source, in any order and any schema', () => {
    const source = { type: 'public.mood', database: database(['a', 'b']) };
    expect(typesFit(source, { type: 'other.mood', database: database(['c', 'b', 'a'], 'other') })).toBe(true);
    expect(typesFit(source, { type: 'public.mood', database: database(['a']) })).toBe(false);
    expect(typesFit(source, { type: 'text', database: database([]) })).toBe(false);
  });
});
