import fc from 'fast-check';
import { expect, test } from 'vitest';
import { allExplanations } from '../../src/commands/all-explanations.ts';
import { checkConfig } from '../../src/compiler/1-load/check-config.ts';
import { locate } from '../../src/compiler/1-load/fault.ts';
import { spansOf } from '../../src/compiler/1-load/span-of.ts';
import { compileConfig } from '../../src/compiler/compile.ts';
import type { ReplicationConfig } from '../../src/index.ts';
import type { Diagnostic } from '../../src/plan/diagnostic.ts';
import { SarrioError } from '../../src/plan/errors.ts';
import type { SchemaLock, TableSchema } from '../../src/plan/schema-lock.ts';
import { displayName } from '../../src/sql/quote.ts';
import { lockOf, table } from '../types/lock.ts';

/** Stands in every name and text that tries to be more than that; never by itself in SQL. */
const MARK = 'pwned';
const CODES = new Set(allExplanations().map(({ code }) => code));

const hostile = fc.constantFrom(
  `a"; drop table ${MARK}; --`,
  `a'; drop table ${MARK}; --`,
  `$sarrio$; drop table ${MARK}; $sarrio$`,
  `*/ drop table ${MARK}; /*`,
  `\\'; drop table ${MARK}; --`,
  `a.b"."${MARK}`,
  `İ ${MARK} ı`,
  `__proto__`,
  `constructor`,
  `${MARK}${'x'.repeat(57)}`,
);
const name = fc.oneof({ weight: 2, arbitrary: fc.constantFrom('id', 'note', 'order', 'Total') }, hostile);

const tables = fc.uniqueArray(fc.tuple(fc.oneof(fc.constantFrom('orders', 'Items'), hostile), fc.uniqueArray(name, { maxLength: 4 })), {
  minLength: 1,
  maxLength: 4,
  selector: ([own]) => own,
});

/** A database of tables with these names; each has a key, since without one nothing is emitted. */
const locks = tables.map((all): SchemaLock => {
  const schemas = all.map(([own, names]): TableSchema => {
    const columns = [...new Set(['key', ...names])];
    const [first, ...others] = table(own, ['key bigint not null', ...columns.slice(1).map(() => 'x text')]).columns;
    const named = [...(first ? [first] : []), ...others.map((column, index) => ({ ...column, name: columns[index + 1] ?? '', variableLength: true }))];
    const key = { name: `${own}_pkey`, columns: [{ name: 'key', equality: { schema: 'pg_catalog', name: '=' }, folding: null }] };
    return { ...table(own, []), columns: named, keys: [{ ...key, primary: true, deferrable: false, notNull: true }] };
  });
  const sorted = schemas.sort((one, other) => (displayName(one) < displayName(other) ? -1 : 1));
  return lockOf({ east: sorted, west: sorted });
});

const expression = fc.constantFrom(
  'true',
  'note is not null',
  `true); drop table ${MARK}; --`,
  `'${MARK}`,
  `"${MARK}`,
  `/* ${MARK}`,
  `$a$ ${MARK}`,
  `1) or (${MARK}`,
);

const configs = locks.chain((lock) => {
  const names = (lock.databases['east']?.tables ?? []).map(displayName);
  const tableName = fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...names, 'public.*') }, hostile, fc.string());
  const columnName = fc.oneof(
    fc.constantFrom(...(lock.databases['east']?.tables ?? []).flatMap(({ columns }) => columns.map((column) => column.name))),
    hostile,
  );
  const entry = fc.oneof(
    tableName,
    fc.record(
      {
        table: tableName,
        where: expression,
        rename: tableName,
        key: fc.oneof(columnName, fc.array(columnName, { maxLength: 2 })),
        onConflict: fc.oneof(fc.constantFrom('stop', 'skip', 'nonsense'), fc.array(fc.constantFrom('east', 'west', 'north'))),
        columns: fc.record(
          { omit: fc.array(columnName, { maxLength: 2 }), compute: fc.dictionary(columnName, expression, { maxKeys: 2 }) },
          { requiredKeys: [] },
        ),
      },
      { requiredKeys: ['table'] },
    ),
    fc.jsonValue(),
  );
  const database = fc.oneof({ weight: 9, arbitrary: fc.constantFrom('east', 'west') }, hostile);
  const sync = fc.oneof(
    fc.record({
      mode: fc.constant('one-way'),
      source: database,
      targets: fc.array(database, { minLength: 1, maxLength: 2 }),
      tables: fc.array(entry, { minLength: 1, maxLength: 3 }),
    }),
    fc.record({
      mode: fc.constant('multi-master'),
      members: fc.constant(['east', 'west']),
      tables: fc.array(entry, { maxLength: 3 }),
      onConflict: fc.constantFrom('stop', 'skip'),
    }),
    fc.record({
      mode: fc.constant('full-copy'),
      source: database,
      targets: fc.array(database, { maxLength: 1 }),
      tables: fc.array(entry, { maxLength: 2 }),
      every: fc.oneof(fc.constant('1h'), fc.string()),
    }),
    fc.jsonValue(),
  );
  const config = fc.record({
    databases: fc.constant({ east: { env: 'EAST_URL' }, west: { env: 'WEST_URL' } }),
    syncs: fc.dictionary(fc.oneof({ weight: 5, arbitrary: fc.constantFrom('shop', 'other') }, hostile), sync, { minKeys: 1, maxKeys: 2 }),
  });
  return config.map((value) => ({ lock, value }));
});

test('whatever a config holds, it compiles or is told what is wrong with it, and no name or text becomes SQL', () => {
  fc.assert(
    fc.property(configs, ({ lock, value }) => {
      const spanOf = spansOf({ text: `export default ${JSON.stringify(value, null, 2)};`, file: 'replication.config.ts' });
      const faults = locate(checkConfig(value), spanOf);
      const { files, diagnostics } =
        faults.length > 0 ? { files: null, diagnostics: faults } : outcome(value as unknown as ReplicationConfig, { lock, spanOf });
      for (const { code, span } of diagnostics) {
        expect(CODES).toContain(code);
        expect(span).toMatchObject({ file: 'replication.config.ts', line: expect.any(Number) });
      }
      if (files === null) {
        expect(diagnostics.some(({ severity }) => severity === 'error')).toBe(true);
        return;
      }
      for (const [path, text] of files) if (path.endsWith('.sql')) expect([path, bare(text).includes(MARK)]).toEqual([path, false]);
    }),
    { numRuns: 300, seed: Number(process.env['SARRIO_SEED'] ?? 41) },
  );
});

function outcome(config: ReplicationConfig, { lock, spanOf }: { lock: SchemaLock; spanOf: ReturnType<typeof spansOf> }) {
  try {
    const { files, warnings } = compileConfig({ config, spanOf, handlers: new Map() }, lock);
    return { files, diagnostics: warnings };
  } catch (error) {
    if (error instanceof SarrioError) return { files: null, diagnostics: error.diagnostics as readonly Diagnostic[] };
    throw error;
  }
}

/** SQL without what is quoted or commented out; bodies between dollars are SQL, too. */
function bare(sql: string): string {
  const token = /--[^\n]*|\/\*[\s\S]*?\*\/|E'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\w*)\$([\s\S]*?)\$\1\$/gi;
  return sql.replaceAll(token, (text, _tag, body: string | undefined) => (text.startsWith('$') ? ` ${bare(body ?? '')} ` : ' '));
}

test('the search for bare words finds them', () => {
  expect([`select 1; drop table ${MARK}`, `do $a$ begin ${MARK}; end $a$`].map((sql) => bare(sql).includes(MARK))).toEqual([true, true]);
  expect([`select '${MARK}'`, `select "${MARK}"`, `-- ${MARK}\n`, `select E'\\'${MARK}'`].map((sql) => bare(sql).includes(MARK))).toEqual([
    false,
    false,
    false,
    false,
  ]);
});
