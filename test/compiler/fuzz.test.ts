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
  // Too long for what is derived from it, and never written without quotes.
  `${MARK}${'X'.repeat(57)}`,
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

/** What makes sense, and now and then something that does not: a config with one fault in it meets what one with twenty never reaches. */
function mostly<T>(sensible: fc.Arbitrary<T>, ...others: readonly fc.Arbitrary<unknown>[]): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 25 * others.length, arbitrary: sensible }, ...others);
}

const expression = mostly(
  fc.constantFrom('true', 'note is not null', `note = '${MARK}; --'`, `"${MARK}" is null`, `/* ${MARK} */ true`, `$a$ ${MARK} $a$ <> note`),
  fc.constantFrom(`true); drop table ${MARK}; --`, `'${MARK}`, `"${MARK}`, `/* ${MARK}`, `$a$ ${MARK}`, `1) or (${MARK}`),
);

/** Keys of an object, each there or not. */
function some(model: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<object> {
  return fc.record(model, { requiredKeys: [] });
}

/** A table with settings that fit it, for a sync of each mode. */
function entries({ schema, name: own, columns }: TableSchema): Readonly<Record<'one-way' | 'multi-master' | 'full-copy', fc.Arbitrary<unknown>>> {
  const label = displayName({ schema, name: own });
  const others = columns.map((column) => column.name).filter((each) => each !== 'key');
  const omitted = mostly(fc.subarray(others), fc.array(fc.oneof(hostile, fc.constant('key')), { maxLength: 2 }));
  const key = mostly(fc.constantFrom<unknown>(['key'], `${own}_pkey`), hostile, fc.array(hostile, { maxLength: 2 }));
  const table = mostly(fc.constant(label), hostile, fc.string());
  const computed = fc.tuple(fc.constantFrom(...others, 'new'), expression).map(([column, text]) => ({ omit: [column], compute: { [column]: text } }));
  const chosen = mostly(
    fc.oneof(
      omitted.map((omit) => ({ omit })),
      others.length === 0 ? fc.constant({}) : computed,
    ),
    fc.record({ compute: fc.dictionary(hostile, expression, { maxKeys: 2 }) }),
  );
  const rule = mostly(fc.constantFrom<unknown>('stop', 'skip', 'last-update-wins', ['east', 'west'], { columns: 'merge', otherwise: 'skip' }), hostile);
  const written = (settings: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<unknown> => {
    return mostly(
      fc.oneof(
        table,
        fc.tuple(table, some(settings)).map(([named, more]) => ({ table: named, ...more })),
      ),
      fc.jsonValue(),
    );
  };
  return {
    'one-way': written({ where: expression, key, columns: chosen, truncate: fc.constantFrom('replicate', 'ignore', 'refuse') }),
    'multi-master': written({ key, onConflict: rule, onUnique: mostly(fc.constantFrom('keep-latest', 'park'), hostile) }),
    'full-copy': written({ where: expression, columns: chosen }),
  };
}

const configs = locks.chain((lock) => {
  const all = lock.databases['east']?.tables ?? [];
  const listed = (mode: 'one-way' | 'multi-master' | 'full-copy'): fc.Arbitrary<unknown> => {
    const chosen = fc.subarray([...all], { minLength: 1 }).chain((some) => fc.tuple(...some.map((each) => entries(each)[mode])));
    return mostly(fc.oneof(chosen, fc.constant(['public.*'])), fc.array(fc.string(), { maxLength: 2 }));
  };
  const ways = fc.oneof(
    { weight: 25, arbitrary: fc.constantFrom({ source: 'east', targets: ['west'] }, { source: 'west', targets: ['east'] }) },
    fc.record({ source: hostile, targets: fc.array(hostile) }),
  );
  const flowing = (rest: fc.Arbitrary<object>): fc.Arbitrary<object> => fc.tuple(rest, ways).map(([sync, between]) => ({ ...sync, ...between }));
  const oneWay = flowing(fc.record({ mode: fc.constant('one-way'), tables: listed('one-way') }));
  const copy = flowing(fc.record({ mode: fc.constant('full-copy'), tables: listed('full-copy'), every: mostly(fc.constant('1h'), fc.string()) }));
  const masters = fc.record({
    mode: fc.constant('multi-master'),
    members: fc.constant(['east', 'west']),
    tables: listed('multi-master'),
    onConflict: fc.constantFrom('stop', 'skip'),
  });
  const sync = mostly(fc.oneof(oneWay, masters, copy), fc.jsonValue());
  const syncs = fc.oneof(
    { weight: 9, arbitrary: sync.map((shop) => ({ shop })) },
    fc.dictionary(mostly(fc.constantFrom('shop', 'other'), hostile) as fc.Arbitrary<string>, sync, { minKeys: 1, maxKeys: 2 }),
  );
  const config = fc.record({ databases: fc.constant({ east: { env: 'EAST_URL' }, west: { env: 'WEST_URL' } }), syncs });
  return config.map((value) => ({ lock, value }));
});

const RUNS = Number(process.env['SARRIO_RUNS'] ?? 60);

test('whatever a config holds, it compiles or is told what is wrong with it, and no name or text becomes SQL', () => {
  let compiled = 0;
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
      compiled += 1;
      for (const [path, text] of files) if (path.endsWith('.sql')) expect([path, bare(text).includes(MARK)]).toEqual([path, false]);
    }),
    { numRuns: RUNS, seed: Number(process.env['SARRIO_SEED'] ?? 41) },
  );
  // Else it would test the first refusal only.
  expect(compiled / RUNS).toBeGreaterThan(0.3);
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
