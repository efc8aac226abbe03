import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DatabaseSchema, TableSchema } from '../../src/plan/schema-lock.ts';
import { readSchema } from '../../src/runner/5-inspect/read-schema.ts';
import { connect } from '../../src/runner/postgres/session.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { CATALOG, CATALOG_18 } from './read-schema.sql.ts';

describe.each([14, 18] as const)('the catalog of PostgreSQL %i', (major) => {
  let server: TestServer;
  let schema: DatabaseSchema;
  let queries: number;

  beforeAll(async () => {
    server = await startServer({ major, durable: false });
    const database = await server.createDatabase('catalog');
    await database.script(CATALOG + (major >= 18 ? CATALOG_18 : ''));
    await database.close();
    const session = await connect({ database: 'catalog', variable: 'CATALOG_URL', url: server.url('catalog'), role: 'inspect' });
    ({ schema, queries } = await readSchema(session, ['public', 'Odd"Schema']));
    await session.close();
  }, 120_000);

  afterAll(() => server?.dispose());

  const table = (name: string): TableSchema => {
    const found = schema.tables.find((candidate) => candidate.name === name);
    if (!found) throw new Error(`no table ${name}`);
    return found;
  };
  const column = (tableName: string, name: string) => table(tableName).columns.find((candidate) => candidate.name === name);
  const key = (tableName: string, name: string) => table(tableName).keys.find((candidate) => candidate.name === name);

  test('holds the relations of the named schemas, their partitions elsewhere, and nothing else', () => {
    const names = schema.tables.map(({ schema: where, name, kind, persistence }) => `${where}.${name} ${kind} ${persistence}`);
    expect(names.filter((name) => !/late|virtual|periods/.test(name))).toEqual([
      'Odd"Schema.Odd.Table table permanent',
      'elsewhere.payments_2025 table permanent',
      'public.child table permanent',
      'public.orders table permanent',
      'public.orders_summary materialized-view permanent',
      'public.orders_view view permanent',
      'public.parent table permanent',
      'public.payments partitioned permanent',
      'public.payments_2024 partitioned permanent',
      'public.payments_2024_a table permanent',
      'public.scratch table unlogged',
      'public.types table permanent',
    ]);
  });

  test('takes a fixed number of queries', () => {
    expect(queries).toBeLessThanOrEqual(6);
    expect(schema.serverMajor).toBe(major);
    expect(schema.encoding).toBe('UTF8');
  });

  test('tells partitions from heirs', () => {
    expect(table('payments_2024_a').partitionOf).toEqual({ schema: 'public', name: 'payments_2024' });
    expect(table('payments_2025').partitionOf).toEqual({ schema: 'public', name: 'payments' });
    expect(table('child')).toMatchObject({ partitionOf: null, inherits: [{ schema: 'public', name: 'parent' }] });
  });

  test('has columns with types, defaults, identity and generation', () => {
    expect(column('orders', 'id')).toMatchObject({ type: 'bigint', notNull: true, identity: 'always', transfer: 'binary', variableLength: false });
    expect(column('orders', 'other_id')).toMatchObject({ identity: 'by-default' });
    expect(column('orders', 'total')).toMatchObject({ type: 'numeric(10,2)', notNull: false, hasDefault: true, variableLength: true });
    expect(column('orders', 'doubled')).toMatchObject({ generated: 'stored', hasDefault: false });
    expect(column('orders', 'dropped')).toBeUndefined();
    expect(column('orders', 'code')).toMatchObject({ type: 'character varying(20)', collation: 'public.folded' });
    expect(column('orders', 'mood')).toMatchObject({ type: 'public.mood', transfer: 'text', collation: null });
    expect(column('orders', 'with_domain_default')).toMatchObject({ type: 'public.counted', hasDefault: true, transfer: 'text' });
  });

  test('sends only those types as binary whose bytes mean the same everywhere', () => {
    const byTransfer = (transfer: string) =>
      table('types')
        .columns.filter((item) => item.transfer === transfer)
        .map(({ name }) => name);
    expect(byTransfer('text')).toEqual([
      'a_domain',
      'a_domain_array',
      'a_composite',
      'an_enum_array',
      'a_regclass',
      'a_regclass_array',
      'an_xml',
      'an_lsn',
      'a_vector',
      'spans',
      'an_extension',
    ]);
    expect(byTransfer('binary')).toHaveLength(24);
  });

  test('has plain unique indexes, the primary key first, each with its own equality operator', () => {
    expect(table('orders').keys.map(({ name }) => name)).toEqual(['orders_pkey', 'orders_code_key', 'orders_later', 'orders_pair']);
    expect(key('orders', 'orders_pkey')).toEqual({
      name: 'orders_pkey',
      columns: [{ name: 'id', equality: { schema: 'pg_catalog', name: '=' }, folding: null }],
      primary: true,
      deferrable: false,
      notNull: true,
    });
    expect(key('orders', 'orders_pair')).toMatchObject({ notNull: true, columns: [{ name: 'other_id' }, { name: 'code' }] });
    expect(key('orders', 'orders_code_key')?.columns[0]?.equality).toEqual({ schema: 'pg_catalog', name: '=' });
    expect(key('orders', 'orders_later')).toMatchObject({ deferrable: true, notNull: false });
  });

  test('has foreign keys, row security and BEFORE UPDATE triggers, also those of partitions', () => {
    expect(table('child').references).toEqual([
      { schema: 'Odd"Schema', name: 'Odd.Table' },
      { schema: 'public', name: 'orders' },
    ]);
    expect(table('child').rowSecurity).toBe(true);
    expect(table('orders').beforeUpdateTrigger).toBe(true);
    expect(table('parent').beforeUpdateTrigger).toBe(false);
    expect(table('payments').beforeUpdateTrigger).toBe(true);
    expect(table('payments_2024_a').beforeUpdateTrigger).toBe(true);
    expect(table('payments_2025').beforeUpdateTrigger).toBe(false);
  });

  test('has the labels of enums in their order, also of those inside other types', () => {
    expect(schema.enums).toEqual([
      { schema: 'public', name: 'mood', labels: ['sad', 'ok', 'happy'] },
      { schema: 'public', name: 'nested', labels: ['in', 'side'] },
    ]);
  });

  test('has what users’ types are made of', () => {
    expect(schema.types).toEqual([
      {
        schema: 'public',
        name: 'checked',
        kind: 'domain',
        base: 'public.counted',
        notNull: true,
        checks: ['CHECK (((VALUE)::integer < 9))', 'CHECK (((VALUE)::integer > 1))'],
      },
      { schema: 'public', name: 'citext', kind: 'base', extension: 'citext' },
      { schema: 'public', name: 'counted', kind: 'domain', base: 'integer', notNull: false, checks: [] },
      {
        schema: 'public',
        name: 'pair',
        kind: 'composite',
        attributes: [
          { name: 'a', type: 'integer' },
          { name: 'b', type: 'text' },
          { name: 'n', type: 'public.nested[]' },
          { name: 'C c', type: 'public.checked' },
        ],
      },
      { schema: 'public', name: 'span', kind: 'range', subtype: 'double precision' },
      { schema: 'public', name: 'span_multirange', kind: 'multirange', range: 'public.span' },
    ]);
  });

  test('has the nondeterministic collation of a key, and no index with another equality than its columns', () => {
    expect(key('orders', 'orders_code_key')?.columns[0]?.folding).toBe('public.folded');
    expect([key('orders', 'orders_folded'), key('orders', 'orders_image')]).toEqual([undefined, undefined]);
  });

  test.runIf(major >= 18)('knows virtual columns, not yet valid NOT NULL and keys without overlaps', () => {
    expect(column('virtual_columns', 'doubled')).toMatchObject({ generated: 'virtual' });
    expect(column('late', 'id')).toMatchObject({ notNull: false });
    expect(key('late', 'late_id')).toMatchObject({ notNull: false });
    expect(table('periods').keys).toEqual([]);
  });
});
