import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { emitSchemaTypes } from '../src/compiler/4-emit/emit-schema-types.ts';
import { lockOf, table } from '../test/types/lock.ts';

/** What types of many tables cost the compiler, by its own account: node --import jiti/register bench/types.ts [tables] */
const TABLES = Number(process.argv[2] ?? 1000);
const COLUMNS = ['id bigint not null', 'total numeric(12,2)', 'state public.state', ...Array.from({ length: 9 }, (_, index) => `column_${index} text`)];
const root = fileURLToPath(new URL('..', import.meta.url));
const tables = Array.from({ length: TABLES }, (_, index) => table(`table_${index}`, COLUMNS));
const schema = emitSchemaTypes(lockOf({ east: tables, west: tables, reporting: tables })) ?? '';
const listed = tables.map(({ name }) => `{ table: 'public.${name}', onConflict: ({ latest }) => merge({ total: latest.row?.total ?? '0' }) }`);
const config = `import { defineReplication, env, merge } from 'sarrio';
export default defineReplication({
  databases: { east: env('E'), west: env('W'), reporting: env('R') },
  syncs: {
    shop: { mode: 'multi-master', members: ['east', 'west'], onConflict: 'skip', tables: ['public.*', ${listed.slice(0, 50).join(',\n')}] },
    copy: { mode: 'one-way', source: 'east', targets: ['reporting'], tables: ['public.*', { table: 'public.table_7', columns: { omit: ['total'] } }] },
  },
});
`;

const folder = mkdtempSync(join(tmpdir(), 'sarrio-types-'));
const options = {
  target: 'es2023',
  lib: ['es2023'],
  module: 'nodenext',
  types: [],
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  allowImportingTsExtensions: true,
  paths: { sarrio: [join(root, 'src/index.ts')] },
};
writeFileSync(join(folder, 'replication.config.ts'), config);
console.log(`${TABLES} tables of ${COLUMNS.length} columns in 3 databases, 50 handlers; schema.d.ts has ${Math.round(schema.length / 1024)} kB`);
for (const [title, files] of [
  ['without types', { 'schema.d.ts': 'export {};\n' }],
  ['with types', { 'schema.d.ts': schema }],
] as const) {
  writeFileSync(join(folder, 'schema.d.ts'), files['schema.d.ts']);
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['schema.d.ts', 'replication.config.ts'] }));
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const text = execFileSync(process.execPath, [tsc, '-p', folder, '--extendedDiagnostics'], { encoding: 'utf8' });
  const shown = text.split('\n').filter((line) => /^(Types|Instantiations|Memory used|Parse time|Bind time|Check time|Total time):/.test(line));
  console.log([title, ...shown].join('\n  '));
}
rmSync(folder, { recursive: true });
