import { describe, expect, test } from 'vitest';
import { typeMisfit } from '../../src/compiler/3-check/types-fit.ts';
import type { DatabaseSchema, TypeSchema } from '../../src/plan/schema-lock.ts';

const database = (labels: readonly string[], schema = 'public'): DatabaseSchema => {
  return { serverMajor: 17, encoding: 'UTF8', tables: [], enums: [{ schema, name: 'mood', labels }], types: [] };
};

const withTypes = (...types: readonly TypeSchema[]): DatabaseSchema => ({ ...database([]), types });
const domain = (base: string, checks: readonly string[], notNull = false): TypeSchema => ({
  schema: 'public',
  name: 'd',
  kind: 'domain',
  base,
  checks,
  notNull,
});
const composite = (attributes: Readonly<Record<string, string>>): TypeSchema => {
  return { schema: 'public', name: 'c', kind: 'composite', attributes: Object.entries(attributes).map(([name, type]) => ({ name, type })) };
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
    ['timestamp(3) with time zone', 'timestamp with time zone', true],
    ['timestamp(3) with time zone', 'timestamp(2) with time zone', false],
    ['timestamp with time zone', 'timestamp(6) with time zone', false],
    ['timestamp(3) without time zone[]', 'timestamp(4) without time zone[]', true],
    ['time(0) with time zone', 'time(0) without time zone', false],
    ['interval(3)', 'interval', true],
    ['interval', 'interval(3)', false],
    ['interval year to month', 'interval', true],
    ['interval', 'interval year to month', false],
    ['bit(3)', 'bit(4)', false],
    ['public.citext', 'public.citext', true],
  ])('%s into %s: %s', (source, target, fits) => {
    expect(typeMisfit({ type: source, database: database([]) }, { type: target, database: database([]) }) === null).toBe(fits);
  });

  test('an enum needs all labels of the source, in any order and any schema', () => {
    const source = { type: 'public.mood', database: database(['a', 'b']) };
    expect(typeMisfit(source, { type: 'other.mood', database: database(['c', 'b', 'a'], 'other') })).toBeNull();
    expect(typeMisfit(source, { type: 'public.mood', database: database(['a']) })).toBe("enum public.mood on the target lacks 'b'");
    expect(typeMisfit(source, { type: 'text', database: database([]) })).toMatch(/not the enum/);
  });

  test.each([
    ['the same', domain('integer', ['CHECK ((VALUE > 0))'], true), domain('integer', ['CHECK ((VALUE > 0))'], true), null],
    ['fewer checks and a wider base', domain('integer', ['CHECK ((VALUE > 0))'], true), domain('bigint', []), null],
    ['one more check', domain('integer', []), domain('integer', ['CHECK ((VALUE > 0))']), /demands more: CHECK/],
    [
      'a check that the source did not test on old rows',
      domain('integer', ['CHECK ((VALUE > 0)) NOT VALID']),
      domain('integer', ['CHECK ((VALUE > 0))']),
      /demands more/,
    ],
    [
      'the same check, which the target did not test on old rows',
      domain('integer', ['CHECK ((VALUE > 0))']),
      domain('integer', ['CHECK ((VALUE > 0)) NOT VALID']),
      null,
    ],
    ['not null', domain('integer', []), domain('integer', [], true), /demands more: NOT NULL/],
    ['a narrower base', domain('bigint', []), domain('integer', []), /bigint does not fit into integer/],
  ])('a domain with %s', (_, source, target, misfit) => {
    const found = typeMisfit({ type: 'public.d', database: withTypes(source) }, { type: 'public.d', database: withTypes(target) });
    if (misfit === null) expect(found).toBeNull();
    else expect(found).toMatch(misfit);
  });

  test('a domain into its base type, and a plain type into a domain that demands nothing', () => {
    const checked = withTypes(domain('integer', ['CHECK ((VALUE > 0))']));
    expect(typeMisfit({ type: 'public.d[]', database: checked }, { type: 'bigint[]', database: database([]) })).toBeNull();
    expect(typeMisfit({ type: 'smallint', database: database([]) }, { type: 'public.d', database: withTypes(domain('integer', [])) })).toBeNull();
    expect(typeMisfit({ type: 'smallint', database: database([]) }, { type: 'public.d', database: checked })).toMatch(/demands more/);
  });

  test.each([
    [{ x: 'integer', y: 'public.d' }, null],
    [{ x: 'bigint', y: 'text' }, null],
    [{ y: 'public.d', x: 'integer' }, /has the attributes \(x, y\), but on the target \(y, x\)/],
    [{ x: 'integer' }, /but on the target \(x\)/],
    [{ x: 'smallint', y: 'public.d' }, /attribute x: integer does not fit into smallint/],
  ])('a composite type into one with %o', (attributes, misfit) => {
    const source = withTypes(composite({ x: 'integer', y: 'public.d' }), domain('character varying(3)', []));
    const target = withTypes(composite(attributes as Readonly<Record<string, string>>), domain('character varying(3)', []));
    const found = typeMisfit({ type: 'public.c[]', database: source }, { type: 'public.c[]', database: target });
    if (misfit === null) expect(found).toBeNull();
    else expect(found).toMatch(misfit);
  });

  test('types of an extension by its name, wherever it is installed; ranges and multiranges by their subtype', () => {
    const types = (schema: string, subtype: string, extension = 'citext'): DatabaseSchema =>
      withTypes(
        { schema, name: 'citext', kind: 'base', extension },
        { schema, name: 'span', kind: 'range', subtype },
        { schema, name: 'spans', kind: 'multirange', range: `${schema}.span` },
      );
    const misfit = (type: string, target: DatabaseSchema): string | null =>
      typeMisfit({ type: `public.${type}`, database: types('public', 'real') }, { type: `other.${type}`, database: target });
    expect(['citext', 'citext[]', 'span', 'spans'].map((type) => misfit(type, types('other', 'real')))).toEqual([null, null, null, null]);
    expect(misfit('citext', types('other', 'real', 'imitation'))).toMatch(/does not fit/);
    expect([misfit('span', types('other', 'double precision')), misfit('spans', types('other', 'numeric'))]).toEqual([
      'type public.span has the subtype real, but on the target double precision',
      'type public.span has the subtype real, but on the target numeric',
    ]);
  });
});
