import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileConfig, newMemory } from '../../src/compiler/compile.ts';
import type { ReplicationConfig } from '../../src/index.ts';
import { SarrioError } from '../../src/plan/errors.ts';
import type { SchemaLock } from '../../src/plan/schema-lock.ts';
import { lockOf, table } from '../types/lock.ts';

/** More tables than it takes for parts of a plan to be remembered by themselves. */
const NAMES = Array.from({ length: 36 }, (_, index) => `t${String(index).padStart(2, '0')}`);
const KEY = { name: 'id', equality: { schema: 'pg_catalog', name: '=' }, folding: null };

function keyed(name: string, columns: readonly string[]) {
  const keys = [{ name: `${name}_pkey`, columns: [KEY], primary: true, deferrable: false, notNull: true }];
  return { ...table(name, ['id bigint not null', ...columns]), keys };
}

/** `more`: the tables of this number have a column more. */
function lockWith(more: number): SchemaLock {
  const tables = NAMES.map((name, index) => keyed(name, ['a integer', 'b text', ...(index === more ? ['c text'] : [])]));
  return lockOf({ east: tables, north: tables, west: tables });
}

const flag = fc.boolean();
const entry = fc.record({
  table: fc.constantFrom(...NAMES.map((name) => `public.${name}`)),
  where: fc.constantFrom(undefined, 'a > 1', "b = 'x'"),
  columns: fc.constantFrom(undefined, { omit: ['b'] }, { compute: { b: 'upper(b)' } }),
  captureTriggers: fc.constantFrom(undefined, 'always'),
});
const oneWay = fc
  .record({
    targets: fc.constantFrom(['west'], ['west', 'north']),
    entries: fc.uniqueArray(entry, { maxLength: 3, selector: (each) => each.table }),
    guarded: flag,
    adopts: flag,
    left: fc.constantFrom(...NAMES),
  })
  .map(({ targets, entries, guarded, adopts, left }) => ({
    mode: 'one-way',
    source: 'east',
    targets,
    tables: [...entries, 'public.*'],
    exclude: [`public.${left}`],
    ...(guarded ? { guard: { deletes: 0.5 } } : {}),
    ...(adopts ? { existingRows: 'adopt' } : {}),
  }));
const masters = fc
  .record({
    members: fc.constantFrom(['east', 'west'], ['west', 'east'], ['east', 'west', 'north']),
    onConflict: fc.constantFrom('last-update-wins', 'skip'),
    counts: flag,
  })
  .map(({ members, onConflict, counts }) => ({
    mode: 'multi-master',
    members,
    onConflict,
    tables: [...(counts ? [{ table: 'public.t03', onConflict: { counters: ['a'], otherwise: 'last-update-wins' } }] : []), 'public.*'],
  }));
const copy = fc
  .constantFrom('delete', 'changed-only')
  .map((method) => ({ mode: 'full-copy', source: 'west', targets: ['north'], method, tables: ['public.t01'] }));
const config = fc.record({ first: fc.oneof(oneWay, masters), second: fc.option(copy), roles: flag }).map(({ first, second, roles }): unknown => {
  const database = (env: string) => ({ env, ...(roles ? { roles: { runner: 'app_runner' } } : {}) });
  return { databases: { east: database('E'), west: database('W'), north: database('N') }, syncs: { main: first, ...(second ? { night: second } : {}) } };
});

/** Every file, or what is wrong. */
function compiled(value: unknown, lock: SchemaLock, memory?: ReturnType<typeof newMemory>): unknown {
  try {
    const loaded = { config: value as ReplicationConfig, spanOf: () => ({ file: 'c.ts', line: 1, column: 1 }), handlers: new Map() };
    return Object.fromEntries(compileConfig(loaded, lock, memory).files);
  } catch (error) {
    if (error instanceof SarrioError) return error.diagnostics;
    throw error;
  }
}

test('what was made before changes no byte: configs and locks one after the other, with a memory and without', () => {
  const seen = { files: 0, faults: 0 };
  fc.assert(
    fc.property(fc.array(fc.tuple(config, fc.constantFrom(-1, 3, 7)), { minLength: 3, maxLength: 5 }), (configs) => {
      const memory = newMemory();
      const locks = new Map([-1, 3, 7].map((more) => [more, lockWith(more)]));
      for (const [value, more] of configs) {
        const lock = locks.get(more) ?? lockWith(more);
        const found = compiled(value, lock, memory);
        expect(found).toEqual(compiled(value, lock));
        seen[Array.isArray(found) ? 'faults' : 'files'] += 1;
      }
    }),
    { numRuns: 12 },
  );
  expect(seen.files).toBeGreaterThan(10);
});
